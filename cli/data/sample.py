"""Made-up data of two organizations about the same people, for a first job: the same bytes on every machine."""

from random import Random

ROWS, SHARED = 500, 400
# The column to predict, of the role that has it.
LABEL = {"guest": "y", "host": None}
_FEATURES = {"guest": range(3), "host": range(3, 8)}
# What each feature says about the label: most of it is known to the host.
_WEIGHTS = (0.6, -0.4, 0.0, 1.5, -1.2, 0.8, 0.0, 0.3)


def sample_name(role: str) -> str:
    """The name of the sample's table at the party with that role."""
    return f"sample-{role}"


def sample(role: str) -> str:
    """The CSV of one role. The guest has people 0 to 499 and the label y, the host people 100 to 599."""
    first = 0 if role == "guest" else ROWS - SHARED
    columns = [f"x{number}" for number in _FEATURES[role]]
    lines = [",".join(["id", *(["y"] if role == "guest" else []), *columns])]
    for person in range(first, first + ROWS):
        features = _person(person)
        label = [str(int(sum(weight * value for weight, value in zip(_WEIGHTS, features, strict=True)) > 0))] if role == "guest" else []
        lines.append(",".join([f"person-{person:04}", *label, *(f"{features[number]:.4f}" for number in _FEATURES[role])]))
    return "\n".join(lines) + "\n"


def _person(number: int) -> list[float]:
    """Random.random() gives the same numbers in every version of Python."""
    chance = Random(number)  # noqa: S311
    return [chance.random() * 2 - 1 for _ in _WEIGHTS]
