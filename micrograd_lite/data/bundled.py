"""Two classic data sets that travel with the package: iris plants and handwritten digits.

They are the first real data for a network, without a download: the files lie beside this page, and SOURCES.md says
whose they are, under which licence, and what was changed.
"""

from micrograd_lite.data.dataset import Dataset

SPECIES = ("setosa", "versicolor", "virginica")


def iris() -> Dataset:
    """Return Fisher's 150 iris plants: four measurements in centimetres, labels 0 to 2 for the species.

    50 plants each, ordered by species, so split it before training (`split` keeps the classes even).
    """
    header, *lines = _packaged("iris.csv").decode("ascii").splitlines()
    rows = [line.split(",") for line in lines]
    inputs = [[float(cell) for cell in row[:-1]] for row in rows]
    return Dataset("iris", inputs, [SPECIES.index(row[-1]) for row in rows], classes=3,
                   feature_names=tuple(header.split(",")[:-1]), class_names=SPECIES, target_name="species",
                   origin=({"name": "iris"},))


def digits() -> Dataset:
    """Return 1,797 handwritten digits of 8 x 8 pixels, row by row: 64 inputs, labels 0 to 9.

    The file holds grey levels from 0 to 16; they are divided by 16, which is exact: inputs go from 0.0 to 1.0.
    """
    import gzip  # here, not above: importing the package stays cheap

    text = gzip.decompress(_packaged("digits.csv.gz")).decode("ascii")
    rows = [[int(cell) for cell in line.split(",")] for line in text.splitlines()]
    inputs = [[level / 16.0 for level in row[:-1]] for row in rows]
    return Dataset("digits", inputs, [row[-1] for row in rows], classes=10,
                   feature_names=tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8)),
                   class_names=tuple("0123456789"), target_name="digit", origin=({"name": "digits"},))


def _packaged(filename: str) -> bytes:
    from importlib.resources import files

    return files("micrograd_lite.data").joinpath(filename).read_bytes()
