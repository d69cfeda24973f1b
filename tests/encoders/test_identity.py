from __future__ import annotations

import subprocess
import sys


def test_pixels_and_hashes_need_no_torch() -> None:
    shown = (
        "import sys; import assay.encoders.pixel_changes, assay.encoders.identity, assay.encoders.examples; "
        "print('torch' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
