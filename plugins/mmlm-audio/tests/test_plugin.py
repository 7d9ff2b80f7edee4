"""What the plugin declares."""

import subprocess
import sys

from mmlm_audio.plugin import MMLM_API, mmlm_components


def test_declaring_imports_neither_torch_nor_a_library_of_sound():
    code = ("import sys; from mmlm_audio.plugin import mmlm_components as c; c(); "
            "sys.exit(any(m in sys.modules for m in ('torch', 'numpy', 'soundfile', 'soxr')))")  # fmt: skip
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_it_gives_three_encoders_of_sound_and_their_files():
    assert MMLM_API == 1
    components = mmlm_components()
    assert [f"{each.kind}={each.name}" for each in components] == [
        "encoder/audio=logmel_conv", "encoder/audio=logmel_transformer", "encoder/audio=wave_conv", "data=tones"]  # fmt: skip
    assert all({".wav", ".flac", ".ogg", ".mp3"} <= set(each.suffixes) for each in components[:3])
