#include <stdio.h>

#include <histedit.h>

// Swift cannot call functions that take any number of arguments: each use of libedit's has a name here.

typedef unsigned char (*edit_command)(EditLine *, int);

static inline void edit_use_emacs_keys(EditLine *editor) { el_set(editor, EL_EDITOR, "emacs"); }

static inline void edit_set_prompt(EditLine *editor, char *(*prompt)(EditLine *)) {
  el_set(editor, EL_PROMPT, prompt);
}

static inline void edit_set_reader(EditLine *editor, el_rfunc_t reader) {
  el_set(editor, EL_GETCFN, reader);
}

static inline void edit_set_owner(EditLine *editor, void *owner) {
  el_set(editor, EL_CLIENTDATA, owner);
}

static inline void *edit_owner(EditLine *editor) {
  void *owner = NULL;
  el_get(editor, EL_CLIENTDATA, &owner);
  return owner;
}

static inline void edit_add_command(EditLine *editor, const char *name, edit_command command) {
  el_set(editor, EL_ADDFN, name, "", command);
}

static inline void edit_bind(EditLine *editor, const char *keys, const char *command) {
  el_set(editor, EL_BIND, keys, command, NULL);
}

// Whether the terminal gives each key as it is pressed.
static inline void edit_set_raw(EditLine *editor, int is_raw) { el_set(editor, EL_PREP_TERM, is_raw); }

// Draws the line anew, from where the cursor stands.
static inline void edit_draw(EditLine *editor) { el_set(editor, EL_REFRESH); }

static inline void edit_use_history(EditLine *editor, History *lines) {
  el_set(editor, EL_HIST, history, lines);
}

static inline void history_set_size(History *lines, int size) {
  HistEvent event;
  history(lines, &event, H_SETSIZE, size);
}

static inline void history_append(History *lines, const char *line) {
  HistEvent event;
  history(lines, &event, H_ENTER, line);
}

static inline void history_load(History *lines, const char *path) {
  HistEvent event;
  history(lines, &event, H_LOAD, path);
}

static inline void history_save(History *lines, const char *path) {
  HistEvent event;
  history(lines, &event, H_SAVE, path);
}
