"""PyTorch as a peer of the convolution benchmark: the requests of conv/peer.h on standard input.

Each work comes twice: as it is, and with the suffix _cl for channels_last memory (2 and 3 dimensions only).
"""
import os
import sys
import time

os.environ["CUDA_VISIBLE_DEVICES"] = ""
replies = os.dup(1)
os.dup2(2, 1)  # what libraries print is no reply

import torch
import torch.nn.functional as F

torch.set_grad_enabled(False)
FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}


def answer(text):
    os.write(replies, (" ".join(str(text).split()) + "\n").encode())


def arguments(transpose, axes):
    """Stride, padding, dilation, output_padding: PyTorch pads both sides alike, which mirrors the problem at most."""
    stride, padding, dilation, extra = [], [], [], []
    for size, k, s, d, lo, hi, out in axes:
        p = max(lo, hi, 0)
        extent = d * (k - 1) + 1
        rest = out - ((size - 1) * s - 2 * p + extent) if transpose else 0
        got = (size - 1) * s - 2 * p + extent + rest if transpose else (size + 2 * p - extent) // s + 1
        if got != out or rest < 0 or (rest and rest >= max(s, d)):
            raise ValueError("PyTorch cannot pad like this")
        stride.append(s), padding.append(p), dilation.append(d), extra.append(rest)
    return stride, padding, dilation, extra


class Problem:
    def __init__(self, words):
        transpose, dims = words[0] == "transpose", int(words[1])
        batch, cin, cout, groups = map(int, words[2:6])
        numbers = list(map(int, words[6:]))
        axes = [numbers[7 * a:7 * a + 7] for a in range(dims)]
        stride, padding, dilation, extra = arguments(transpose, axes)
        kernel = [a[1] for a in axes]
        plain = [torch.empty(batch, cin, *[a[0] for a in axes]),
                 torch.empty(*((cin, cout // groups) if transpose else (cout, cin // groups)), *kernel),
                 torch.empty(batch, cout, *[a[6] for a in axes])]
        bias = torch.empty(cout)
        self.tensors, self.works, self.calls = [bias], {}, {}
        for suffix in [""] + (["_cl"] if dims + 2 in FORMATS else []):
            x, k, y = [t.contiguous(memory_format=FORMATS[dims + 2]) for t in plain] if suffix else plain
            self.tensors += [x, k, y]

            def forward(b, x=x, k=k):
                return torch.convolution(x, k, b, stride, padding, dilation, transpose, extra, groups)

            def backward(data, x=x, k=k, y=y):
                return torch.ops.aten.convolution_backward(y, x, k, None, stride, padding, dilation, transpose, extra,
                                                           groups, [data, not data, False])[0 if data else 1]

            self.works["forward" + suffix] = lambda f=forward: f(None)
            self.works["backward_data" + suffix] = lambda f=backward: f(True)
            self.works["backward_weights" + suffix] = lambda f=backward: f(False)
            self.works["forward_bias_relu" + suffix] = lambda f=forward: F.relu_(f(bias))
        self.fill(False)

    def fill(self, ones):
        for t in self.tensors:
            t.fill_(1) if ones else t.uniform_(-0.5, 0.5)

    def check(self):
        self.fill(True)
        sums = [float(run().sum(dtype=torch.float64)) for run in self.works.values()]
        self.fill(False)
        return " ".join("%.12g" % s for s in sums)

    def time(self, name, budget):
        run = self.works[name]

        def seconds(calls):
            start = time.perf_counter()
            for _ in range(calls):
                run()
            return time.perf_counter() - start

        run()  # peer.h says why
        if name not in self.calls:
            calls, once = 1, seconds(1)
            if once >= budget:
                self.calls[name] = 1
                return once
            while once < budget / 8:
                calls *= 4
                once = seconds(calls)
            self.calls[name] = max(1, int(budget * calls / once))
        return seconds(self.calls[name]) / self.calls[name]


def main():
    problem = None
    for line in sys.stdin:
        words = line.split()
        try:
            if words[0] == "hello":
                answer("PyTorch " + torch.__version__)
            elif words[0] == "threads":
                torch.set_num_threads(int(words[1]))
                answer("ok")
            elif words[0] == "setup":
                problem = Problem(words[1:])
                answer("ok " + " ".join(problem.works))
            elif words[0] == "check":
                answer(problem.check())
            elif words[0] == "time":
                answer(problem.time(words[1], float(words[2])))
            else:
                answer("error unknown request")
        except Exception as error:
            answer("error %s: %s" % (type(error).__name__, str(error)[:200]))


main()
