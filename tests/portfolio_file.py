"""A small portfolio file for tests: one table of text a deal, runs of few paths."""

from pathlib import Path

CONFIGS = Path(__file__).parent.parent / "configs"

#: Bad enough for claims on the insurer within 64 paths.
STRESSED = "stress_shift = 0.35"


def write_portfolio_file(
    folder, deals, capital=1e12, paths=64, scenario=STRESSED, simulation="", insurer=""
):
    """Write a portfolio of `deals`, name → lines of its table, and return the file."""
    tables = [
        f'[[deal]]\nname = "{name}"\n{lines if "config" in lines else config(lines)}'
        for name, lines in deals.items()
    ]
    file = folder / "book.toml"
    head = (
        'name = "book"\npayment_month = "2004-02"\n'
        f'[insurer]\ncapital = {capital}\nsource = "a test"\n{insurer}\n'
        f"[simulation]\npaths = {paths}\n{simulation}\n[scenario]\n{scenario}\n"
    )
    file.write_text("\n".join([head, *tables]), encoding="utf-8")
    return file


def config(lines="", name="base"):
    """Return the lines of a deal's table with the shipped configuration `name`."""
    return f'config = "{CONFIGS}/{name}.toml"\n{lines}'
