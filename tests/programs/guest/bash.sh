# What scripts of bash lean on: arrays, traps, process substitution, coprocesses, here-documents, job control, wait -n.
declare -A count
for word in a b a c a b; do ((count[$word]++)); done
for word in a b c; do echo "$word ${count[$word]}"; done

trap 'echo trapped USR1' USR1
kill -USR1 $$
diff <(printf '1\n2\n') <(printf '1\n3\n')
echo "status $?"

coproc CAT { cat; }
echo through the coprocess >&"${CAT[1]}"
read -r line <&"${CAT[0]}"
echo "$line"
exec {CAT[1]}>&-
wait "$CAT_PID"

cat <<-END
	here $((6 * 7)) $(echo nested "$(echo twice)")
END
(sleep 0.3; exit 4) &
(sleep 0.1; exit 3) &
wait -n; echo "first $?"
wait -n; echo "second $?"

set -m
sleep 100 &
kill -STOP %1
sleep 0.1
jobs | sed 's/  */ /g'
kill -CONT %1
kill %1
wait %1
echo "killed $?"
set +m

f() { local n=$1; ((n < 2)) && echo "$n" && return; echo $(($(f $((n - 1))) + $(f $((n - 2))))); }
f 8
shopt -s extglob nullglob
touch x.1 x.22 y.1
echo x.+([0-9]) none*
printf '%s\n' {1..3}{a,b} | sort -r | tr '\n' ' '
echo
ulimit -S -n 64
exec 63>&1 && echo high >&63
exec 64>&1 || echo "too high"
exit 7
