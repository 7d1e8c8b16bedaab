"""The Engram engine: notes into slow memory, answers out of it. Knows no Qt."""

import os

# Products in fp32 are to give the same bits in every run (oneMKL, "Numerical Reproducibility"). It
# is read at the first product, and left as it is where somebody has chosen otherwise.
os.environ.setdefault("MKL_CBWR", "AUTO")
