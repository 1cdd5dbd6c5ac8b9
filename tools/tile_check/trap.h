// The tile instructions, emulated where the processor does not know them: a handler of SIGILL decodes them and does
// what they do, one number at a time.
#pragma once

// Until this, a tile instruction ends the program.
void trap_tile_instructions(void);

// How many have been done since then.
long trapped_products(void);

// Whether a configuration is loaded.
int tiles_are_configured(void);
