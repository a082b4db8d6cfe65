"""A flame graph as SVG: callers below, callees on top, widths by samples. Needs no script: a name shows on hover."""

import html
import zlib

_WIDTH, _ROW, _TOP, _SIDE = 1200, 17, 40, 10
_LEAST = 0.4  # narrower boxes are left out
_CHARACTER = 6.4


class _Box:
    """A function at one place of the stacks."""

    def __init__(self, name):
        self.name, self.samples, self.callees = name, 0, {}

    def depth(self):
        """Rows from here up."""
        return 1 + max((box.depth() for box in self.callees.values()), default=0)


def _tree(stacks):
    root = _Box("all")
    for stack, samples in stacks.items():
        box = root
        box.samples += samples
        for name in stack:
            box = box.callees.setdefault(name, _Box(name))
            box.samples += samples
    return root


def _color(name):
    shade = zlib.crc32(name.encode())
    if name == "user":
        return "#9fb8d8"
    if name == "firmware":
        return "#bbbbbb"
    return f"hsl({18 + shade % 34},{62 + shade // 64 % 20}%,{60 + shade // 4096 % 14}%)"


def _draw(box, x, y, scale, total, out):
    width = box.samples * scale
    if width < _LEAST:
        return
    name = html.escape(box.name)
    share = f"{100 * box.samples / total:.2f} %, {box.samples} samples"
    out.append(f'<g><title>{name}: {share}</title><rect x="{x:.1f}" y="{y}" width="{max(width - 0.3, 0.3):.1f}"'
               f' height="{_ROW - 1}" fill="{_color(box.name)}" rx="1.5"/>')
    room = int((width - 6) / _CHARACTER)
    if room >= 3:
        text = box.name if len(box.name) <= room else box.name[:room - 2] + ".."
        out.append(f'<text x="{x + 3:.1f}" y="{y + 12}">{html.escape(text)}</text>')
    out.append("</g>")
    for callee in sorted(box.callees.values(), key=lambda b: b.name):
        _draw(callee, x, y - _ROW, scale, total, out)
        x += callee.samples * scale


def flame_graph(stacks, title):
    """The picture of {stack of names, outermost first: samples}."""
    root = _tree(stacks)
    height = _TOP + root.depth() * _ROW + 10
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}"'
           f' viewBox="0 0 {_WIDTH} {height}" font-family="monospace" font-size="10.5">',
           f'<rect width="100%" height="100%" fill="#fffdf7"/>'
           f'<text x="{_SIDE}" y="22" font-size="14">{html.escape(title)}</text>']
    _draw(root, _SIDE, height - _ROW - 8, (_WIDTH - 2 * _SIDE) / root.samples, root.samples, out)
    return "\n".join([*out, "</svg>\n"])
