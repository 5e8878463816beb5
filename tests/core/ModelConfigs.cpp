#include "ModelConfigs.h"

namespace loadlab::test {
namespace {

using Json = nlohmann::json;

struct QwenShape {
    int hidden, intermediate, layers, heads, kvHeads, vocab;
    bool tied;
};

} // namespace

Json qwen25Config(std::string_view size)
{
    const QwenShape shape = size == "0.5B" ? QwenShape{896, 4864, 24, 14, 2, 151936, true}
        : size == "7B"                     ? QwenShape{3584, 18944, 28, 28, 4, 152064, false}
                                           : QwenShape{5120, 13824, 48, 40, 8, 152064, false};
    return {{"architectures", {"Qwen2ForCausalLM"}}, {"model_type", "qwen2"}, {"hidden_size", shape.hidden},
        {"intermediate_size", shape.intermediate}, {"num_hidden_layers", shape.layers},
        {"num_attention_heads", shape.heads}, {"num_key_value_heads", shape.kvHeads}, {"vocab_size", shape.vocab},
        {"tie_word_embeddings", shape.tied}, {"torch_dtype", "bfloat16"}, {"rope_theta", 1e6}, {"rms_norm_eps", 1e-6}};
}

Json nemotronConfig()
{
    return {{"architectures", {"LlamaForCausalLM"}}, {"model_type", "llama"}, {"hidden_size", 3072},
        {"intermediate_size", 9216}, {"num_hidden_layers", 32}, {"num_attention_heads", 32}, {"num_key_value_heads", 8},
        {"head_dim", 128}, {"vocab_size", 128256}, {"tie_word_embeddings", false}, {"attention_bias", false},
        {"mlp_bias", false}, {"torch_dtype", "bfloat16"}};
}

Json omniConfig()
{
    const Json text{{"model_type", "qwen3_omni_moe_text"}, {"hidden_size", 2048}, {"intermediate_size", 768},
        {"moe_intermediate_size", 768}, {"num_hidden_layers", 48}, {"num_attention_heads", 32},
        {"num_key_value_heads", 4}, {"head_dim", 128}, {"num_experts", 128}, {"num_experts_per_tok", 8},
        {"vocab_size", 152064}, {"tie_word_embeddings", false}, {"mlp_only_layers", Json::array()},
        {"decoder_sparse_step", 1}};
    const Json audio{{"num_mel_bins", 128}, {"d_model", 1280}, {"encoder_layers", 32}, {"encoder_attention_heads", 20},
        {"encoder_ffn_dim", 5120}, {"downsample_hidden_size", 480}, {"output_dim", 2048}};
    const Json vision{{"depth", 27}, {"hidden_size", 1152}, {"num_heads", 16}, {"intermediate_size", 4304},
        {"patch_size", 16}, {"temporal_patch_size", 2}, {"spatial_merge_size", 2}, {"out_hidden_size", 2048},
        {"num_position_embeddings", 2304}, {"deepstack_visual_indexes", {8, 16, 24}}, {"in_channels", 3}};
    const Json talkerText{{"hidden_size", 1024}, {"intermediate_size", 2048}, {"num_hidden_layers", 20},
        {"num_attention_heads", 16}, {"num_key_value_heads", 2}, {"head_dim", 128}, {"moe_intermediate_size", 384},
        {"num_experts", 128}, {"shared_expert_intermediate_size", 768}, {"vocab_size", 3072}};
    const Json predictor{{"num_hidden_layers", 5}, {"hidden_size", 1024}, {"num_attention_heads", 16},
        {"num_key_value_heads", 8}, {"head_dim", 128}, {"intermediate_size", 3072}, {"vocab_size", 2048},
        {"num_code_groups", 16}};
    const Json code2wav{{"hidden_size", 1024}, {"num_hidden_layers", 8}, {"num_attention_heads", 16},
        {"num_key_value_heads", 16}, {"intermediate_size", 3072}, {"codebook_size", 2048}, {"num_quantizers", 16},
        {"decoder_dim", 1536}, {"upsample_rates", {8, 5, 4, 3}}, {"upsampling_ratios", {2, 2}}};
    return {{"architectures", {"Qwen3OmniMoeForConditionalGeneration"}}, {"model_type", "qwen3_omni_moe"},
        {"dtype", "bfloat16"}, {"enable_audio_output", true},
        {"thinker_config",
            {{"model_type", "qwen3_omni_moe_thinker"}, {"text_config", text}, {"audio_config", audio},
                {"vision_config", vision}}},
        {"talker_config",
            {{"num_code_groups", 16}, {"thinker_hidden_size", 2048}, {"text_config", talkerText},
                {"code_predictor_config", predictor}}},
        {"code2wav_config", code2wav}};
}

} // namespace loadlab::test
