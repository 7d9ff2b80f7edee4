from mmlm_core.testing import contracts

globals().update(
    contracts(
        "mmlm_heads.plugin",
        targets={
            "head=tagging": [["B-x"], ["O"], ["B-y"]],
            "head=ctc": ["ab", "c", "aa"],
            "head=span": ["x", [], {"text": ["x"], "answer_start": [0]}],
            "head=regression": [1, 2.5, "4"],
        },
    )
)
