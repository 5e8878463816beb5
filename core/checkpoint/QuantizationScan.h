#pragma once

#include "core/checkpoint/Findings.h"
#include "core/checkpoint/TensorTable.h"

#include <nlohmann/json_fwd.hpp>
#include <optional>

namespace loadlab {

/// How the weights are quantized: quantization_config of config.json (also of its text config), hf_quant_config.json of
/// modelopt, and the tensors' suffixes, which are the plainest (MODEL_FACTS 4.1, 4.2). Where they contradict each
/// other, `findings` gets a dtype_quantization_conflict. `config`, `quantConfig`: null when absent.
std::optional<Quantization> scanQuantization(
    const nlohmann::json* config, const nlohmann::json* quantConfig, const TensorTable& tensors, Findings& findings);

} // namespace loadlab
