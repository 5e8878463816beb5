// Writes a small TorchScript program with a parameter under two names and a buffer, for tests of the worker.
#include <torch/script.h>

int main(int argc, char** argv)
{
    if (argc != 2)
        return 2;
    torch::jit::Module module("Small");
    const at::Tensor weight = torch::ones({3, 4});
    module.register_parameter("weight", weight, false);
    module.register_parameter("tied", weight, false);
    module.register_buffer("ids", torch::arange(5));
    module.define("def forward(self, x):\n    return x + self.weight\n");
    module.save(argv[1]);
    return 0;
}
