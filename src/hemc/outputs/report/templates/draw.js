"use strict";
(async () => {
  const theme = JSON.parse(document.getElementById("theme").textContent);
  const options = {
    actions: false,
    ast: true, // no code is built from strings, which the page's policy forbids
    config: theme,
    renderer: "svg",
    tooltip: { disableDefaultStyle: true },
  };
  for (const figure of document.querySelectorAll("figure.chart")) {
    const spec = JSON.parse(figure.querySelector("script").textContent);
    await vegaEmbed(figure.querySelector(".canvas"), spec, options);
    figure.dataset.drawn = "";
  }
  document.documentElement.dataset.charts = "drawn";
})();
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
});
