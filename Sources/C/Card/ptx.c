// The kernels as PTX, made by tools/card/ptx.sh; C23's #embed, which clang takes in C17 too.
#pragma clang diagnostic ignored "-Wc23-extensions"
const char card_ptx[] = {
#embed "kernels/card.ptx"
    , 0};
const char card_tiles_ptx[] = {
#embed "kernels/card_tiles.ptx"
    , 0};
