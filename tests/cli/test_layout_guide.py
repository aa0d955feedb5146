"""What the pages about layouts show is what the program accepts."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from navicert.authoring.draft import read_draft
from navicert.authoring.yaml import read_yaml
from navicert.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "guides" / "write-a-layout.md"
REFERENCE = ROOT / "docs" / "reference" / "layout-yaml.md"


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_commands_of_the_guide_work_in_their_order_and_lint_finds_nothing_in_its_layout(tmp_path):
    layout, _ = blocks(GUIDE, "yaml")
    commands = blocks(GUIDE, "sh")
    commands.insert(2, f"cat >layout.yaml <<'END'\n{layout}END\nnavicert layout lint --strict layout.yaml\n")
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    script = ["sh", "-euc", "\n".join(commands)]
    done = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert "layout.yaml: nothing to say" in done.stdout
    assert (tmp_path / "root.layout").exists()


@pytest.mark.parametrize("text", [*blocks(GUIDE, "yaml"), *blocks(REFERENCE, "yaml")], ids=lambda text: text[:20])
def test_every_piece_of_yaml_is_accepted(text):
    read_draft(read_yaml(text.encode()))


def test_the_rules_of_the_guides_table_are_rules(tmp_path):
    table = GUIDE.read_text(encoding="utf-8").split("## 3.", 1)[1].split("Three things", 1)[0]
    rules = re.findall(r"\| `([A-Z]+ [^`]*)`", table)
    assert len(rules) == 8
    text = "inspections:\n - name: a\n   materials:\n" + "".join(f"   - {rule}\n" for rule in rules)
    assert len(read_draft(read_yaml(text.encode())).inspections[0].expected_materials) == 8


def test_the_built_in_inspections_of_the_guide_exist(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main(["keygen", "k"])
    runs = re.findall(r"^\| `(navicert inspect [^`]*)` \|", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(runs) == 5
    for run in runs:
        main(["layout", "init", "--force", "--step", "a", "--functionary", "x=k.pub"])
        with open("layout.yaml", "a") as stream:
            stream.write(f"inspections: [{{name: i, run: '{run}', materials: [DISALLOW *]}}]\n")
        capsys.readouterr()
        main(["layout", "lint", "layout.yaml"])
        assert "[inspection.built-in]" not in capsys.readouterr().out
