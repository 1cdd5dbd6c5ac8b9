// Nothing is called by name: the driver's functions are found as a card's are, in the shared library.
#pragma once
