# e2e.gp: the warm rates of e2e.sh's table, a group of bars a set of images. gnuplot -e "data=…; out=…"
set terminal svg size 1200,520 dynamic background rgb "white"
set output out
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.8
set logscale y
set yrange [1:*]
set ylabel "MB/s of what is allocated, page cache warm"
set grid ytics
set key outside top center horizontal
set datafile missing "?"
columns = system("head -n 1 ".data." | wc -w") + 0
plot for [i=2:columns] data using i:xtic(1) title columnheader(i)
