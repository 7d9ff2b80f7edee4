"""The report: complete, self-contained, and safe to open whatever the data says."""

import base64
import io
import re
from html.parser import HTMLParser

import pytest
from PIL import Image

from mmlm_core.files import read_json, write_json, write_lines, write_yaml
from mmlm_core.interfaces import Processor
from mmlm_core.media import picture_url
from mmlm_core.report import write_report
from mmlm_core.report.closing import make_console, print_closing
from mmlm_core.report.curves import Series, chart, number, ticks
from mmlm_core.report.gallery import gallery
from mmlm_core.report.sweep import comparison, read_sweep, write_comparison
from mmlm_core.runs import RunFolder
from mmlm_core.samples import is_right, said, sample, show_input
from mmlm_core.types import Example

EVIL = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"


class Reader(HTMLParser):
    """Collects tags and attributes, and checks that tags are closed in order."""

    void = ("meta", "img", "br")

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 20), "red").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path):
    """A run folder of an image captioner, whose texts try to break out of the page."""
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    box = {"slot": "backbone", "choice": "gru", "giver": "mmlm-recurrent 0.1.0", "size": "width 8", "parameters": 1234,
           "changed": f"note={EVIL}"}  # fmt: skip
    write_json(folder.environment, {"boxes": [box], "parameters": 1234, "rows": {"train": 10}, "machine": {"cores": 2},
                                    "plugins": [], "precision": "fp32", "seed": 1, "started": "2026-01-02"})  # fmt: skip
    write_yaml(folder.overrides, ["backbone=gru", "run.name=run", "data.path=a b.csv", EVIL])
    lines = [{"split": "train", "step": step, "epoch": 0, "loss": 1 / step, "lr": 0.1, "samples_per_second": 9.0}
             for step in range(1, 1000)]  # fmt: skip
    lines += [{"split": "validation", "step": 999, "epoch": 0, "loss": 0.5, "cider": None}]
    write_lines(folder.metrics, lines)
    write_json(folder.evaluation("test"), {
        "split": EVIL, "rows": 2, "metrics": {EVIL: 0.5, "cider": 1.25}, "controls": {"shuffled inputs": {"cider": 0.1}},
    })  # fmt: skip
    rows = [sample(Example("a:1", {"image": [picture()]}, EVIL), {"prediction": EVIL}),
            sample(Example("a:2", {"image": [picture()]}, "cat"), {"prediction": EVIL})]  # fmt: skip
    write_json(folder.samples("test"), {"split": "test", "rows": rows})
    return folder


@pytest.fixture
def page(folder):
    return write_report(folder).read_text(encoding="utf-8")


def test_the_page_is_well_formed_and_loads_nothing_from_elsewhere(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    addresses = [
        value for _, attributes in reader.tags for name, value in attributes.items() if name in ("src", "href")
    ]
    assert addresses
    assert all(address.startswith("data:image/png;base64,") for address in addresses)
    assert "http://" not in page
    assert "https://" not in page


def test_no_text_of_the_data_becomes_markup(page):
    reader = Reader()
    reader.feed(page)
    assert "script" not in {tag for tag, _ in reader.tags}
    assert not [name for _, attributes in reader.tags for name in attributes if name.startswith("on")]
    assert EVIL not in page


def test_the_page_shows_metrics_beside_controls_samples_curves_and_the_command(page):
    assert "<b>1.250</b></td><td>0.100</td>" in page
    assert page.count('<div class="card ') == 2
    assert page.count('class="card right"') == 1
    assert "1 of them are exactly as the reference" in page
    assert page.count("<figure>") == 3
    assert "mmlm train backbone=gru &#x27;data.path=a b.csv&#x27;" in page
    assert "run.name" not in page


def test_a_long_training_makes_no_long_page(page):
    points = re.search(r'<polyline class="line s0" points="([^"]*)"', page)
    assert len(points[1].split()) <= 260


def test_ranges_stand_beside_the_metrics_that_have_one_and_their_column_only_where_there_are_some(folder, page):
    assert "range</th>" not in page
    told = read_json(folder.evaluation("test"))
    write_json(folder.evaluation("test"), {**told, "ranges": {"cider": [0, 10.0], "perplexity": [1.0, None]}})
    page = write_report(folder).read_text(encoding="utf-8")
    assert '<th>cider</th><td><b>1.250</b></td><td>0.100</td><td class="range">0 to 10</td></tr>' in page
    assert '<b>0.500</b></td><td>–</td><td class="range"></td></tr>' in page
    assert '<span class="name">cider</span><span class="range">0 to 10</span>' in page
    assert "from 1" not in page


def test_a_closing_table_tells_the_ranges(folder, capsys):
    told = {"rows": 2, "controls": {"none": {"bleu": 2.0}}, "metrics": {"loss": 1.0, "wer": 0.5, "bleu": 7.0}}
    write_json(folder.evaluation("test"), {**told, "ranges": {"bleu": [0.0, 100.0], "wer": [0.0, None]}})
    print_closing(make_console(), folder, "test")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[2:6]]
    assert lines == [
        ["the", "model", "none", "range"], ["loss", "1.000"], ["wer", "0.500", "from", "0"],
        ["bleu", "7.000", "2.000", "0", "to", "100"],
    ]  # fmt: skip


def test_the_figure_that_chose_the_weights_is_drawn_first_after_the_loss(folder):
    names = ["a", "b", "c", "token_f1"]
    lines = [{"split": "validation", "step": step, "loss": 1.0, **dict.fromkeys(names, 0.5)} for step in (1, 2)]
    write_lines(folder.metrics, lines)
    write_json(folder.environment, {**read_json(folder.environment), "monitor": "token_f1"})
    drawn = re.findall(r"<figcaption><b>(.*?)</b>", write_report(folder).read_text(encoding="utf-8"))
    assert drawn == ["loss", "validation token f1", "validation a", "validation b"]


def test_a_run_that_has_only_begun_has_a_page_too(tmp_path):
    folder = RunFolder(tmp_path)
    write_json(folder.environment, {})
    assert "not ended yet" in write_report(folder).read_text(encoding="utf-8")


def test_a_picture_in_a_samples_file_is_shown_only_where_it_is_a_picture_itself():
    row = {
        "inputs": [{"kind": "picture", "value": "javascript:alert(1)"}],
        "reference": "a",
        "prediction": "a",
        "right": True,
    }
    assert "javascript" not in gallery([row])
    assert "http" not in gallery([{**row, "inputs": [{"kind": "picture", "value": "http://elsewhere/x.png"}]}])


def test_a_predicted_picture_stands_beside_its_reference_and_is_neither_right_nor_wrong():
    mask = picture_url(Image.new("P", (2, 2)))
    row = sample(
        Example("a:1", {"image": [picture()], "text": [EVIL]}, mask), {"prediction": mask, "areas": {"cat": 1}}
    )
    shown = gallery([row])
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", shown)
    assert captions == ["reference", "prediction"] and shown.count(f'src="{mask}"') == 2
    assert shown.count("<img") == 3 and "areas: cat: 1" in shown and EVIL not in shown
    assert "✓" not in shown and "✗" not in shown
    assert "javascript" not in gallery([{**row, "reference": "javascript:alert(1)"}])


def test_texts_are_shown_as_a_table():
    row = sample(Example("a:1", {"text": ["so long, and thanks"]}, "ham"), {"prediction": "spam"})
    assert "<td><p>so long, and thanks</p></td><td>ham</td><td>spam</td>" in gallery([row])


def test_a_large_picture_is_made_small_and_a_broken_one_is_told():
    buffer = io.BytesIO()
    Image.new("L", (1000, 500)).save(buffer, "PNG")
    shown = show_input("image", buffer.getvalue())
    small = Image.open(io.BytesIO(base64.b64decode(shown["value"].partition(",")[2])))
    assert small.size == (128, 64)
    assert show_input("image", b"nothing") == {"kind": "text", "value": "(image)"}


def test_what_is_no_picture_is_shown_as_its_processor_draws_it():
    class Spots(Processor):
        def process(self, item):
            return {}

        def blank(self):
            return {}

        def collate(self, items, generator):
            return {}

        def picture(self, item):
            return Image.new("RGB", (3, 2), (item, 0, 0))

    example = Example("a:1", {"spots": [200], "smell": [7]}, "red")
    smell, spots = sample(example, {"prediction": "red"}, {"spots": Spots()})["inputs"]
    assert smell == {"modality": "smell", "kind": "text", "value": "(smell)"}
    drawn = Image.open(io.BytesIO(base64.b64decode(spots["value"].partition(",")[2])))
    assert (drawn.size, drawn.getpixel((0, 0))) == ((3, 2), (200, 0, 0))


def test_one_of_several_references_is_enough_to_be_right():
    assert is_right("a cat ", ["a dog", "a cat"])
    assert not is_right("a cat", ["a dog"])
    assert is_right(["NOUN", "VERB"], ("NOUN", "VERB"))
    assert is_right("1", 1)  # a label of a table of numbers
    assert is_right("True", True)


def test_predictions_are_said_as_a_person_reads_them():
    assert said({"label": ["a", "b"]}) == "label: a | b"
    assert said(None) == ""


def test_an_axis_has_round_numbers_that_cover_its_range():
    assert ticks(0.3, 3.9, 4) == [0, 1, 2, 3, 4]
    assert ticks(0, 1200, 5) == [0, 500, 1000, 1500]
    assert ticks(2, 2, 4)[0] < 2 < ticks(2, 2, 4)[-1]


def test_numbers_of_an_axis_are_written_alike():
    assert [number(value, 0.001) for value in (0.0, 0.0005, 0.001)] == ["0", "5e-4", "1e-3"]
    assert [number(value) for value in (0.25, 1200, 2e6)] == ["0.25", "1,200", "2M"]


def test_a_chart_without_a_finite_point_is_none():
    assert chart("loss", [Series("training", [(1, float("nan"))])]) == ""
    assert "<circle" in chart("loss", [Series("training", [(1, 0.5)])])


def swept(folder, name, overrides, metrics=None, seconds=90):
    run = RunFolder(folder / name)
    run.path.mkdir(parents=True)
    write_yaml(run.overrides, overrides)
    if metrics is not None:
        write_json(run.summary, {"seconds": seconds})
        write_json(run.evaluation("test"), {"metrics": metrics})


def test_the_runs_of_a_sweep_stand_side_by_side_and_repeats_are_summed_up(tmp_path):
    same = "trainer.max_steps=3"
    swept(tmp_path, "10", [same, "backbone=lstm", "data.fold=0"], {"loss": 3.0, "f1": 0.25, "rows": 2000.0})
    swept(tmp_path, "0", [same, "backbone=gru", "data.fold=0"], {"loss": 1.0, "f1": 0.5, "rows": 2000.0})
    swept(tmp_path, "1", [same, "backbone=gru", "data.fold=1"], {"loss": 2.0, "f1": 0.75, "rows": 2000.0}, 30)
    swept(tmp_path, "2", [same, "backbone=gru", "+data.fold=2"])
    runs = read_sweep(tmp_path)
    assert comparison(runs) == [
        ["run", "backbone", "data.fold", "f1", "rows", "minutes"],
        ["0", "gru", "0", "0.500", "2,000", "1.5"],
        ["1", "gru", "1", "0.750", "2,000", "0.5"],
        ["2", "gru", "2", "", "", "not ended"],
        ["10", "lstm", "0", "0.250", "2,000", "1.5"],
        ["mean of 2", "gru", "", "0.625 ± 0.177", "2,000 ± 0.000", "1.0"],
    ]
    page, table = write_comparison(tmp_path, runs)
    assert page.read_text(encoding="utf-8").splitlines()[:3] == [
        "| run | backbone | data.fold | f1 | rows | minutes |", "| --- | --- | --- | --- | --- | --- |",
        "| 0 | gru | 0 | 0.500 | 2,000 | 1.5 |",
    ]  # fmt: skip
    assert table.read_text(encoding="utf-8").splitlines()[:2] == [
        "run,backbone,data.fold,split,loss,f1,rows,minutes", f"{tmp_path}/0,gru,0,test,1.0,0.5,2000.0,1.5",
    ]  # fmt: skip


def test_what_is_swept_over_is_no_border_of_the_table(tmp_path):
    for name, value in (("0", "[a|b]"), ("1", "[c]")):
        swept(tmp_path, name, [f"trainer.freeze={value}"], {"loss": 1.0})
    page, _ = write_comparison(tmp_path, read_sweep(tmp_path))
    assert "| 0 | [a\\|b] | 1.000 | 1.5 |\n" in page.read_text(encoding="utf-8")
