"""Small files of the Federal Reserve's form, for tests."""

HEADS = (
    "Scenario Name", "Date", "Real GDP growth", "Unemployment rate", "3-month Treasury rate",
    "10-year Treasury yield", "BBB corporate yield", "Mortgage rate",
    "House Price Index (Level)", "Market Volatility Index (Level)",
)  # fmt: skip

#: quarter → unemployment, 3-month rate, mortgage rate, house prices, as printed.
HISTORY = {
    "1976 Q1": ("7.7", "4.9", "8.9", "22.9"),
    "1976 Q2": ("7.6", "5.2", "8.8", "23.6"),
    "1976 Q3": ("7.7", "5.2", "", "24.2"),
    "1976 Q4": ("8", "4.7", "8.8", "25.2"),
}
STRESS = {
    "1977 Q1": ("9", "3", "7.8", "24"),
    "1977 Q2": ("10.0", "2.7", "6.8", "20.16"),
    "1977 Q3": ("9.5", "2.7", "6.8", "21.0"),
}


def csv_text(quarters, scenario, heads=HEADS, date=str):
    """Return a file with a row a quarter; figures that hemc does not read are blank or 1."""
    lines = [",".join(heads)]
    for quarter, (unemployment, treasury, mortgage, prices) in quarters.items():
        cells = dict(
            zip(HEADS, (scenario, date(quarter), "1", unemployment, treasury, "", "", mortgage,
                        prices, ""), strict=True)
        )  # fmt: skip
        lines.append(",".join(cells.get(head, "0") for head in heads))
    return "\n".join(lines) + "\n"


def write_csv(file, quarters, scenario="Actual", **form):
    """Write such a file and return its path."""
    file.write_text(csv_text(quarters, scenario, **form), encoding="utf-8")
    return file
