package record

import (
	"fmt"
	"runtime"
	"sort"
	"syscall"
	"testing"
)

func cpuNow() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

func TestZZ(t *testing.T) {
	page := realisticPage(t)
	m := testMapper(nil)
	ways := []func(){
		func() { ourWay(t, m, page) },
		func() { Split(page) },
		func() { mapWay(t, m, page) },
		func() { decodeOnly(t, page) },
	}
	res := make([][]float64, len(ways))
	for round := 0; round < 9; round++ {
		for w, f := range ways {
			runtime.GC()
			s := cpuNow()
			for i := 0; i < 30; i++ {
				f()
			}
			res[w] = append(res[w], float64(cpuNow()-s)/30/500)
		}
	}
	for w := range ways {
		sort.Float64s(res[w])
		fmt.Printf("way %d: min %.0f median %.0f ns CPU/event\n", w, res[w][0], res[w][4])
	}
}
