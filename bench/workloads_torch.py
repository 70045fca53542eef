"""PyTorch as a peer of bench/workloads.R: one request a line, one reply a line.

hello, threads N; setup NAME LAYOUT with LAYOUT nchw or channels_last; then step N (N training steps), predict1 N,
predict N: seconds for one.
"""
import os
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


MODELS = {"W1": mnist_cnn, "W2": autoencoder, "W3": dcgan_generator, "W5": vae, "W7": fsrcnn}


class Workload:
    def __init__(self, name, layout):
        torch.manual_seed(1)
        self.net, self.x, self.y, self.loss = MODELS[name]()
        if layout == "channels_last":
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
            else:
                answer(workload.time(words[0], int(words[1])))
        except Exception as error:
            answer("error %s: %s" % (type(error).__name__, str(error)[:200]))


main()
