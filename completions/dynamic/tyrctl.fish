COMPLETE=fish tyrctl | source
