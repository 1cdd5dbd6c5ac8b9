# The checks for a card: $(OUT)/kernels and $(OUT)/libcard_stand_in.so, for build.sh and faults.sh. Run from the project's root.
FLAGS = -O2 -g1 -fPIC -Wall -Wextra -Werror -MMD -MP -ISources/C/Card/include -ITests/CardEmulator -ITests/CardEmulator/include \
  -ITests/CardChecks/include $(CARD_FLAGS)
EMULATOR = $(wildcard Tests/CardEmulator/*.cpp)
CPP = $(EMULATOR) $(wildcard Tests/CardChecks/*.cpp tools/card_check/*.cpp)
C = $(wildcard Sources/C/Card/*.c Sources/C/Card/operations/*.c)
objects = $(patsubst %,$(OBJECTS)/%.o,$(1))

all: $(OUT)/kernels $(OUT)/libcard_stand_in.so

$(OUT)/kernels: $(call objects,$(CPP) $(C))
	clang++ $(CARD_FLAGS) -static-libstdc++ -static-libgcc -o $@ $^ -ldl -lpthread -lm

$(OUT)/libcard_stand_in.so: $(call objects,Tests/CardStandIn/stand_in.cpp $(EMULATOR))
	clang++ $(CARD_FLAGS) -shared -o $@ $^ -lpthread

$(OBJECTS)/Tests/CardStandIn/%.o: FLAGS += -fvisibility=hidden
$(OBJECTS)/%.cpp.o: %.cpp
	@mkdir -p $(@D)
	clang++ -std=gnu++17 -DWITH_EMULATOR $(FLAGS) -c -o $@ $<
$(OBJECTS)/%.c.o: %.c
	@mkdir -p $(@D)
	clang -std=gnu17 $(FLAGS) -c -o $@ $<

-include $(patsubst %.o,%.d,$(call objects,$(CPP) $(C) Tests/CardStandIn/stand_in.cpp))
