"""Home equity Monte Carlo: servicing certificate in, loss and writedown distributions out."""
