"""PyTorch as a peer of bench/workloads.R: one request a line, one reply a line.

hello, threads N; setup NAME LAYOUT with LAYOUT nchw or channels_last; then step N (N training steps), predict1 N,
predict N: seconds for one; memory: the largest resident size of this process so far, in kB.
"""
import os
import resource
import sys
import time

os.environ["CUDA_VISIBLE_DEVICES"] = ""
replies = os.dup(1)
os.dup2(2, 1)

import torch
import torch.nn as nn
import torch.nn.functional as F


def answer(text):
    os.write(replies, (" ".join(str(text).split()) + "\n").encode())


def mnist_cnn():
    net = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10), nn.Softmax(1))
    target = F.one_hot(torch.randint(10, (128,)), 10).float()
    return net, torch.rand(128, 1, 28, 28), target, lambda p, t: -(t * torch.log(p + 1e-7)).sum(1).mean()


def autoencoder():
    def up():
        return nn.ConvTranspose2d(32, 32, 3, stride=2, padding=1, output_padding=1)

    net = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), up(), nn.ReLU(), up(), nn.ReLU(), nn.Conv2d(32, 1, 3, padding=1), nn.Sigmoid())
    return net, torch.rand(128, 1, 28, 28), torch.rand(128, 1, 28, 28).round(), F.binary_cross_entropy


def dcgan_generator():
    def up(inputs, outputs):
        return nn.ConvTranspose2d(inputs, outputs, 5, stride=2, padding=2, output_padding=1, bias=False)

    net = nn.Sequential(
        nn.Linear(100, 4096, bias=False), nn.BatchNorm1d(4096), nn.LeakyReLU(0.3), nn.Unflatten(1, (256, 4, 4)),
        up(256, 128), nn.BatchNorm2d(128), nn.LeakyReLU(0.3), up(128, 64), nn.BatchNorm2d(64), nn.LeakyReLU(0.3),
        up(64, 3), nn.Tanh())
    return net, torch.rand(64, 100), torch.rand(64, 3, 32, 32), F.mse_loss


class UNet(nn.Module):
    def __init__(self):
        super().__init__()

        def pair(inputs, filters):
            return nn.Sequential(nn.Conv2d(inputs, filters, 3, padding=1), nn.ReLU(),
                                 nn.Conv2d(filters, filters, 3, padding=1), nn.ReLU())

        self.down = nn.ModuleList([pair(3, 16), pair(16, 32), pair(32, 64)])
        self.larger = nn.ModuleList([nn.ConvTranspose2d(64, 32, 2, 2), nn.ConvTranspose2d(32, 16, 2, 2)])
        self.up = nn.ModuleList([pair(64, 32), pair(32, 16)])
        self.last = nn.Conv2d(16, 1, 1)

    def forward(self, x):
        beside = []
        for down in self.down:
            x = down(F.max_pool2d(x, 2) if beside else x)
            beside.append(x)
        for larger, up, wide in zip(self.larger, self.up, beside[1::-1]):
            x = up(torch.cat([larger(x), wide], 1))
        return torch.sigmoid(self.last(x))


def unet():
    return UNet(), torch.rand(16, 3, 64, 64), torch.rand(16, 1, 64, 64).round(), F.binary_cross_entropy


def vae():
    def conv(inputs, outputs, kernel=3, **more):
        return [nn.Conv2d(inputs, outputs, kernel, **more), nn.ReLU()]

    def up(stride=1, padding=1):
        return [nn.ConvTranspose2d(64, 64, 3, stride=stride, padding=padding), nn.ReLU()]

    net = nn.Sequential(
        nn.ZeroPad2d((0, 1, 0, 1)), *conv(1, 1, 2), *conv(1, 64, 2, stride=2), *conv(64, 64, padding=1),
        *conv(64, 64, padding=1), nn.Flatten(), nn.Linear(12544, 128), nn.ReLU(), nn.Linear(128, 2), nn.Linear(2, 128),
        nn.ReLU(), nn.Linear(128, 12544), nn.ReLU(), nn.Unflatten(1, (64, 14, 14)), *up(), *up(),
        *up(stride=2, padding=0), nn.Conv2d(64, 1, 2), nn.Sigmoid())
    return net, torch.rand(100, 1, 28, 28), torch.rand(100, 1, 28, 28).round(), F.binary_cross_entropy


def fsrcnn():
    middle = [layer for _ in range(4) for layer in (nn.Conv2d(12, 12, 3, padding=1), nn.ReLU())]
    net = nn.Sequential(
        nn.Conv2d(1, 56, 5, padding=2), nn.ReLU(), nn.Conv2d(56, 12, 1), nn.ReLU(), *middle, nn.Conv2d(12, 56, 1),
        nn.ReLU(), nn.ConvTranspose2d(56, 1, 9, stride=3, padding=3))
    return net, torch.rand(16, 1, 32, 32), torch.rand(16, 1, 96, 96), F.mse_loss


class ConvLSTM(nn.Module):
    """Frames (batch, time, channels, rows, columns); the inputs of all frames are convolved at once."""

    def __init__(self, inputs, filters):
        super().__init__()
        self.inputs = nn.Conv2d(inputs, 4 * filters, 3, padding=1)
        self.recurrent = nn.Conv2d(filters, 4 * filters, 3, padding=1, bias=False)

    def forward(self, x):
        projected = self.inputs(x.flatten(0, 1)).unflatten(0, x.shape[:2])
        output, cell, outputs = None, None, []
        for frame in projected.unbind(1):
            gates = frame if output is None else frame + self.recurrent(output)
            i, f, c, o = gates.chunk(4, 1)
            added = torch.sigmoid(i) * torch.tanh(c)
            cell = added if cell is None else torch.sigmoid(f) * cell + added
            output = torch.sigmoid(o) * torch.tanh(cell)
            outputs.append(output)
        return torch.stack(outputs, 1)


class NextFrame(nn.Module):
    def __init__(self, filters):
        super().__init__()
        self.first, self.second = ConvLSTM(1, filters), ConvLSTM(filters, filters)
        self.norms = nn.ModuleList([nn.BatchNorm3d(filters), nn.BatchNorm3d(filters)])
        self.last = nn.Conv3d(filters, 1, 3, padding=1)

    def forward(self, x):
        x = self.norms[0](self.first(x).transpose(1, 2)).transpose(1, 2)
        return torch.sigmoid(self.last(self.norms[1](self.second(x).transpose(1, 2))))


def next_frame(extent, filters, batch):
    x, y = torch.rand(batch, 10, 1, extent, extent), torch.rand(batch, 1, 10, extent, extent).round()
    return NextFrame(filters), x, y, F.binary_cross_entropy


class TextNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(5000, 50)
        self.conv = nn.Conv1d(50, 250, 3)
        self.dense = nn.Sequential(nn.Linear(250, 250), nn.ReLU(), nn.Dropout(0.2), nn.Linear(250, 1), nn.Sigmoid())

    def forward(self, x):
        x = F.dropout(self.embedding(x), 0.2, self.training)
        return self.dense(F.relu(self.conv(x.transpose(1, 2))).amax(2))


def text():
    return TextNet(), torch.randint(5000, (32, 400)), torch.rand(32, 1).round(), F.binary_cross_entropy


MODELS = {"W1": mnist_cnn, "W2": autoencoder, "W3": dcgan_generator, "W4": unet, "W5": vae, "W6": lambda: next_frame(24, 24, 8),
          "W7": fsrcnn, "W8": text, "W9": lambda: next_frame(40, 40, 4)}


class Workload:
    def __init__(self, name, layout):
        torch.manual_seed(1)
        self.net, self.x, self.y, self.loss = MODELS[name]()
        # 3D convolutions have no such layout.
        if layout == "channels_last" and all(p.dim() < 5 for p in self.net.parameters()):
            self.net = self.net.to(memory_format=torch.channels_last)
            if self.x.dim() == 4:
                self.x = self.x.contiguous(memory_format=torch.channels_last)
        self.optimizer = torch.optim.Adam(self.net.parameters())

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(self.net(self.x), self.y)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def predict(self, rows):
        with torch.inference_mode():
            self.net(self.x[:rows])

    def time(self, what, calls):
        self.net.train(what == "step")
        run = {"step": self.step, "predict1": lambda: self.predict(1), "predict": lambda: self.predict(None)}[what]
        start = time.perf_counter()
        for _ in range(calls):
            run()
        return (time.perf_counter() - start) / calls


def main():
    workload = None
    for line in sys.stdin:
        words = line.split()
        try:
            if words[0] == "hello":
                answer("PyTorch " + torch.__version__)
            elif words[0] == "threads":
                torch.set_num_threads(int(words[1]))
                answer("ok")
            elif words[0] == "setup":
                workload = None
                workload = Workload(*words[1:])
                answer("ok %d" % sum(p.numel() for p in workload.net.parameters()))
            elif words[0] == "memory":
                answer(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
            else:
                answer(workload.time(words[0], int(words[1])))
        except Exception as error:
            answer("error %s: %s" % (type(error).__name__, str(error)[:200]))


main()
