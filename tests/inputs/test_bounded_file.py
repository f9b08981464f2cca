"""Files that are none, too large, or made to cost more than they weigh: one error, at once."""

import json
import os
from io import BytesIO

import polars as pl
import pytest

from hemc.config import load_config
from hemc.errors import InputError
from hemc.inputs import parquet_file
from hemc.inputs.bounded_file import MOST_BYTES, read_bytes, read_json
from hemc.inputs.certificate import read_certificate
from hemc.inputs.certificate_record import read_record
from hemc.inputs.deal import read_deal
from hemc.inputs.html_tokens import html_tokens
from hemc.inputs.move_counts import read_move_counts
from hemc.inputs.panel import read_panel
from hemc.inputs.panel_file import open_panel
from hemc.inputs.panel_keys import read_keys
from hemc.inputs.parquet_file import read_parquet
from hemc.inputs.parquet_pages import parquet_contents
from hemc.inputs.posterior_file import read_posterior
from hemc.inputs.tape import read_tape
from hemc.inputs.toml import read_toml

READERS = [read_certificate, read_record, read_deal, read_move_counts, read_tape,
           lambda path: read_posterior(path, "", ""), lambda path: read_panel([path])]  # fmt: skip


@pytest.mark.parametrize("read", READERS)
def test_what_is_no_file_is_refused_without_reading(read, tmp_path):
    os.mkfifo(tmp_path / "pipe")  # to read it would wait for ever
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("pipe", "loop", "", "n" * 300):
        with pytest.raises(InputError):
            read(tmp_path / name)
    with pytest.raises(InputError, match="a pipe or a device"):
        read_bytes(tmp_path / "pipe", "a file")


@pytest.mark.parametrize("path", ["/dev/zero", "a\\u0000b", "../../../../../../etc/passwd"])
def test_a_configuration_may_name_anything(base_toml, tmp_path, path):
    file = tmp_path / "c.toml"
    text = base_toml.read_text().replace("certificates/gmacm-2003-he2_2004-02-25.txt", path)
    file.write_text(text)
    with pytest.raises(InputError):
        read_certificate(load_config(file).path(load_config(file).config.inputs.certificate))


def test_a_file_has_a_size(tmp_path):
    file = tmp_path / "large"
    with file.open("wb") as stream:
        stream.truncate(MOST_BYTES + 1)
    with pytest.raises(InputError, match=f"found {MOST_BYTES + 1:,} bytes"):
        read_bytes(file, "something small")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a." * 400_000 + "a = 1", "more than 100 dots"),
        ("a = " + "[" * 3_000, "nested too deeply"),
        ("a = " + "[" * 30 + "]" * 30, "more than 24 levels"),
        ("a = " + "1" * 5_000, "invalid TOML"),
        ('a = "\\u001b[2J"', "the control character '\\\\x1b'"),
        ('"\\u009b" = 1', "the control character '\\\\x9b'"),
        ('a = "\\u202e"', "the control character '\\\\u202e'"),
    ],
)
def test_toml_that_costs_or_commands_is_refused(tmp_path, text, found):
    file = tmp_path / "x.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=found):
        read_toml(file, "anything")


def test_twenty_faults_are_told_and_the_rest_counted(tmp_path):
    file = tmp_path / "deal.toml"
    file.write_text("".join(f"key{i} = 1\n" for i in range(500)))
    with pytest.raises(InputError) as caught:
        read_deal(file)
    lines = str(caught.value).splitlines()
    assert len(lines) == 21
    assert lines[-1].endswith("more")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": "\\ud800"}', '"\\u001b"', "1" * 5_000])
def test_json_that_no_record_is(tmp_path, text):
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(InputError):
        read_json(file, "a record")


@pytest.mark.parametrize("figure", ["1e999999999", "1E+5", "NaN", "1" * 16, "0." + "1" * 13])
def test_a_record_holds_figures_as_certificates_print_them(tmp_path, figure):
    file = tmp_path / "x.json"
    file.write_text(json.dumps({"series": "2003-HE2", "pool": {"ending_pool": figure}}))
    with pytest.raises(InputError) as caught:
        read_record(file)
    assert caught.value.place == "pool.ending_pool"


def test_parquet_tells_what_it_unpacks_to(tmp_path):
    file = tmp_path / "t.parquet"
    table = pl.DataFrame(
        {"loan": range(50_000), "name": ["x" * 40] * 50_000, "l": [[1, 2]] * 50_000}
    )
    for compression in ("zstd", "snappy", "gzip", "lz4", "uncompressed"):
        table.write_parquet(file, compression=compression, row_group_size=7_000)
        with file.open("rb") as stream:
            held = parquet_contents(stream)
        assert held.n_rows == 50_000
        assert held.n_bytes["loan"] >= 8 * 50_000
        assert set(held.n_bytes) == {"loan", "name", "l"}


@pytest.mark.parametrize("field", ["page", "group"])
def test_parquet_whose_counts_do_not_agree_is_damaged(tmp_path, field):
    """With less than no values in a page, or fewer rows than values, polars ends the process."""
    stream = BytesIO()
    pl.DataFrame({"loan": [None, 2.0] * 100}).write_parquet(stream, statistics=False)
    content = bytearray(stream.getvalue())
    count = bytes([144, 3])  # 200 in Thrift's compact protocol
    at = content.index(count) if field == "page" else content.rindex(count)
    content[at] += 1 if field == "page" else 2  # -201, 201
    file = tmp_path / "t.parquet"
    file.write_bytes(content)
    with pytest.raises(InputError, match="a damaged Parquet file"):
        read_parquet(file, "a table")


def test_a_small_file_of_zeros_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_file, "_BYTES_OF_ANY", 1_000_000)
    file = tmp_path / "bomb.parquet"
    table = pl.DataFrame({"months": ["1"], "from_state": ["30"], "to_state": ["60"]})
    table.with_columns(pl.lit("0" * 3_000_000).alias("count")).write_parquet(file)
    assert file.stat().st_size < 50_000
    with pytest.raises(InputError, match="bytes packed into"):
        read_move_counts(file)


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical])
def test_a_long_text_in_every_row_counts_as_often_as_it_stands_there(tmp_path, dtype):
    file = tmp_path / "bomb.parquet"
    status = pl.Series("status", ["0" * 2_000], dtype=dtype).new_from_index(0, 60_000)
    rows = pl.DataFrame({"loan": range(60_000), "month": "2020-01"}).with_columns(status)
    rows.write_parquet(file)
    with pytest.raises(InputError, match="120,420,000 bytes of text packed into"):
        read_keys(open_panel([file]))
    with pytest.raises(InputError, match="120,420,000 bytes of text packed into"):
        read_parquet(file, "a table")


@pytest.mark.parametrize("piece", ["<td ", "<!-", "<!--", "<?", '<a b="', "</", "<script>", "&#"])
def test_html_that_nobody_closes_takes_no_longer_than_it_is(piece):
    content = piece * (300_000 // len(piece))
    assert sum(1 for _ in html_tokens(content)) <= len(content)


def test_html_is_tags_and_texts_with_lines():
    content = "<p>a &lt; b\n<!-- <td> --><TD class='x'>1 < 2</td>\n<style>td {}</style >x</html"
    found = [tuple(token) for token in html_tokens(content)]
    assert found == [
        ("p", "", 1), ("", "a < b\n", 1), ("td", "", 2), ("", "1 < 2", 2), ("/td", "", 2),
        ("", "\n", 2), ("style", "", 3), ("/style", "", 3), ("", "x", 3), ("/html", "", 3),
    ]  # fmt: skip
