source <(COMPLETE=bash tyrctl)
