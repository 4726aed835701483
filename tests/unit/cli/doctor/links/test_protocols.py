"""Every protocol by which the catalogue says a port is asked can be asked and judged."""

from cli.doctor import probe
from cli.doctor.links.checks import PROTOCOLS
from cli.doctor.links.questions import NOBODY, Question
from federation.catalogue.links import LINKS

_ASKED = {port.probe.protocol for link in LINKS.values() for service in link.services() for port in service.ports}


def test_the_catalogue_asks_by_several_protocols() -> None:
    assert len(_ASKED) > 3


def test_doctor_has_a_judge_for_each_protocol_and_for_no_other() -> None:
    assert PROTOCOLS.keys() == _ASKED


def test_the_probe_knows_each_question() -> None:
    questions = [Question("clinic-b", "osx", protocol, "192.0.2.1", 9370, NOBODY).plain for protocol in _ASKED]
    assert {str(question["kind"]) for question in questions} <= probe._KINDS.keys()
