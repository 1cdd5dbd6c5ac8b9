#include "sentencepiece_shim.h"

#include <sentencepiece_processor.h>

#include <memory>
#include <string>
#include <vector>

struct sp_model {
    sentencepiece::SentencePieceProcessor processor;
};

namespace {

thread_local std::string message;

const char *keep(const std::string &text) {
    message = text;
    return message.c_str();
}

}  // namespace

sp_model *sp_load(const void *bytes, size_t count, const char **error) {
    *error = nullptr;
    try {
        auto model = std::make_unique<sp_model>();
        const auto status =
            model->processor.LoadFromSerializedProto(absl::string_view(static_cast<const char *>(bytes), count));
        if (status.ok()) return model.release();
        *error = keep(status.ToString());
    } catch (const std::exception &problem) {
        *error = keep(problem.what());
    } catch (...) {
        *error = keep("unknown error");
    }
    return nullptr;
}

void sp_free(sp_model *model) { delete model; }

int32_t sp_size(const sp_model *model) { return model->processor.GetPieceSize(); }

const char *sp_piece(const sp_model *model, int32_t id, size_t *length) {
    const std::string &piece = model->processor.IdToPiece(id);
    *length = piece.size();
    return piece.data();
}

bool sp_is_control(const sp_model *model, int32_t id) { return model->processor.IsControl(id); }
int32_t sp_unknown_id(const sp_model *model) { return model->processor.unk_id(); }
int32_t sp_bos_id(const sp_model *model) { return model->processor.bos_id(); }
int32_t sp_eos_id(const sp_model *model) { return model->processor.eos_id(); }
int32_t sp_pad_id(const sp_model *model) { return model->processor.pad_id(); }

const char *sp_encode(const sp_model *model, const char *text, size_t length, void *context,
                      void (*receive)(void *context, const int32_t *ids, size_t count)) {
    static_assert(sizeof(int) == sizeof(int32_t), "ids are 32 bits");
    try {
        std::vector<int> ids;
        const auto status = model->processor.Encode(absl::string_view(text, length), &ids);
        if (!status.ok()) return keep(status.ToString());
        receive(context, ids.data(), ids.size());
        return nullptr;
    } catch (const std::exception &problem) {
        return keep(problem.what());
    } catch (...) {
        return keep("unknown error");
    }
}
