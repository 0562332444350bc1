"""A server to look at, and how what is seen is judged."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


class Server:
    """The studio in a process of its own."""

    def __init__(self, folder):
        self.folder, self.port = folder, 0
        self.start()

    def start(self):
        command = [sys.executable, "-m", "tests.studio.browser.served", str(self.port)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [*command, str(self.folder)], cwd=ROOT, env=environment, stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        self.port = int(self.process.stdout.readline())

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def address(self, path):
        return f"http://127.0.0.1:{self.port}{path}"


FAINT = """() => {
  const parts = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const [r, g, b] = parts(color).slice(0, 3).map((c) => c / 255)
      .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if ((parts(color)[3] ?? 1) === 1) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const faint = [];
  for (const node of document.querySelectorAll("body *")) {
    const says = [...node.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim());
    if (!says || !node.checkVisibility() || node.closest(":disabled, .unseen, noscript")) continue;
    const [a, b] = [light(getComputedStyle(node).color), light(behind(node))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) faint.push(node.outerHTML.slice(0, 120));
  }
  return faint;
}"""
"""Elements whose words stand out too little from what lies behind them."""
