#include "kernels.h"

#include <type_traits>
#include <utility>

#include "card_kernels.h"
#include "card_operations.h"
#include "emulated_language.h"

// MARK: - The kernels

#define FIREFLY_EMULATED 1
namespace card_kernels {
#include "../../Sources/C/Card/kernels/card.cu"
#include "../../Sources/C/Card/kernels/card_tiles.cu"
}

// What both sides of a launch lay out by themselves.
static_assert(sizeof(card_kernels::In) == sizeof(card_in) && sizeof(card_kernels::Out) == sizeof(card_out), "");
static_assert(sizeof(card_kernels::NF4) == sizeof(card_nf4), "");
static_assert(sizeof(card_kernels::RowParts<card_kernels::In>) == sizeof(card_dense_parts), "");
static_assert(sizeof(card_kernels::RowParts<card_kernels::NF4>) == sizeof(card_nf4_parts), "");
static_assert(sizeof(card_kernels::AdamW) == sizeof(card_adamw_numbers), "");
static_assert(sizeof(card_kernels::ByteMoment) == sizeof(card_byte_moment), "");
static_assert(int(card_kernels::MOMENT_BLOCK) == CARD_MOMENT_BLOCK && int(card_kernels::MOMENT_GRID) == CARD_MOMENT_GRID, "");
static_assert(sizeof(card_kernels::CachedRow) == sizeof(card_cached_row), "");
static_assert(sizeof(card_kernels::CachedRows) == sizeof(card_cached_rows), "");
static_assert(sizeof(card_kernels::QueryTile) == sizeof(card_query_tile), "");
static_assert(sizeof(card_kernels::KeyTile) == sizeof(card_key_tile), "");
static_assert(sizeof(card_kernels::TileHeads) == sizeof(card_tile_heads), "");
static_assert(int(card_kernels::TILE_ROWS) == CARD_TILE_ROWS, "");
static_assert(int(card_kernels::FLOAT32) == CARD_FLOAT32 && int(card_kernels::BFLOAT16) == CARD_BFLOAT16, "");
static_assert(int(card_kernels::FLOAT16) == CARD_FLOAT16 && int(card_kernels::HEAD_LIMIT) == CARD_HEAD_LIMIT, "");

// MARK: - Calling them

namespace {

using emulator::untagged;

// An argument as the kernel gets it: addresses of the card become those of the processor.
template <class T>
T inside(T value) {
  if constexpr (std::is_pointer_v<T>) return untagged(value);
  if constexpr (std::is_same_v<T, card_kernels::In> || std::is_same_v<T, card_kernels::Out>) value.at = untagged(value.at);
  if constexpr (std::is_same_v<T, card_kernels::CachedRows>) value.many = untagged(value.many);
  if constexpr (std::is_same_v<T, card_kernels::TileHeads>) value.slopes = untagged(value.slopes);
  if constexpr (std::is_same_v<T, card_kernels::ByteMoment>) {
    value.codes = untagged(value.codes);
    value.absmax = untagged(value.absmax);
    value.map = untagged(value.map);
    value.codes_of_grid = untagged(value.codes_of_grid);
  }
  if constexpr (std::is_same_v<T, card_kernels::NF4>) {
    value.codes = untagged(value.codes);
    value.absmax = untagged(value.absmax);
    value.absmax_codes = untagged(value.absmax_codes);
    value.nested_absmax = untagged(value.nested_absmax);
    value.nested_map = untagged(value.nested_map);
  }
  if constexpr (std::is_same_v<T, card_kernels::RowParts<card_kernels::In>> ||
                std::is_same_v<T, card_kernels::RowParts<card_kernels::NF4>>)
    for (auto &part : value.w) part = inside(part);
  return value;
}

template <class... Arguments>
struct Call {
  static constexpr size_t sizes[] = {sizeof(Arguments)...};

  template <size_t... Index>
  static void apply(void (*function)(Arguments...), void *const *arguments, std::index_sequence<Index...>) {
    function(inside(*(Arguments *)arguments[Index])...);
  }
  static void call(void (*function)(), void *const *arguments) {
    apply((void (*)(Arguments...))function, arguments, std::index_sequence_for<Arguments...>());
  }
};

template <class... Arguments>
constexpr emulator::Kernel entry(const char *name, void (*function)(Arguments...)) {
  return {name, sizeof...(Arguments), Call<Arguments...>::sizes, (void (*)())function, Call<Arguments...>::call};
}

}  // namespace

#define ENTRY(name) entry(#name, card_kernels::name),
const emulator::Kernel emulator::kernels[] = {CARD_KERNELS(ENTRY) CARD_TILE_KERNELS(ENTRY)};
