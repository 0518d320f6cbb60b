"""What the script and Python say to each other arrives unchanged."""

import io
import subprocess

from espei_hpc.cluster.calling_script import CallingScript, Orders

ODD = ["a b", "it's", '"$HOME"', "line\nend", "", "*", "ü", "--x=y"]


def test_orders_are_taken_by_bash_word_by_word() -> None:
    orders = Orders({"SEEN": ODD[3]}, lists={"words": ODD, "none": []}, values={"one": ODD[1]})
    script = 'eval "$1"; printf "%s\\0" "${words[@]}" "$one" "${#none[@]}"; printenv SEEN'
    done = subprocess.run(
        ["bash", "-euc", script, "bash", orders.text()], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\0") == [*ODD, ODD[1], "0", f"{ODD[3]}\n"]


def test_question_is_asked_and_its_answer_read() -> None:
    sink = io.BytesIO()
    script = CallingScript({}, ("espei-hpc",), io.BytesIO(b"one\ntwo\n\0three\0"), sink)
    assert script.ask("cat", "a b") == "one\ntwo"
    assert script.ask("date") == "three"
    assert sink.getvalue() == b"reply cat 'a b'\0reply date\0"


def test_script_that_has_ended_answers_nothing() -> None:
    assert CallingScript({}, ("espei-hpc",), io.BytesIO(), io.BytesIO()).ask("date") == ""


def test_command_of_espei_hpc_says_which_container_it_runs_in() -> None:
    def script(*hpc: str) -> CallingScript:
        return CallingScript({}, hpc, io.BytesIO(), io.BytesIO())

    assert script("/env/bin/espei-hpc").engine is None
    assert script("/bin/singularity", "exec", "x.sif", "espei-hpc").engine == "apptainer"
    podman = script("/bin/podman", "run", "--rm", "espei", "espei-hpc")
    assert (podman.engine, podman.image, podman.container) == (
        "podman",
        "espei",
        ("/bin/podman", "run", "--rm"),
    )
