// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import "time"

// dice is a small seeded source of numbers. Every record, name and delay of the simulator is a function of the seed and a
// counter, so nothing but the counter has to be remembered to write a record again byte for byte.
type dice struct{ state uint64 }

// newDice gives an own stream for each pair of a seed and a number.
func newDice(seed, stream uint64) *dice {
	return &dice{state: scramble(seed) ^ scramble(stream*0xd1342543de82ef95+1)}
}

// next is splitmix64: one addition and one scramble a number.
func (d *dice) next() uint64 {
	d.state += 0x9e3779b97f4a7c15
	return scramble(d.state)
}

// intn gives a number from 0 to n-1.
func (d *dice) intn(n int) int {
	if n <= 1 {
		return 0
	}
	return int(d.float() * float64(n))
}

// float gives a number in [0, 1).
func (d *dice) float() float64 { return float64(d.next()>>11) / (1 << 53) }

func (d *dice) chance(p float64) bool { return d.float() < p }

func (d *dice) pick(list ...string) string { return list[d.intn(len(list))] }

// between gives a duration in [low, high), or low where the range is empty.
func (d *dice) between(low, high time.Duration) time.Duration {
	if high <= low {
		return low
	}
	return low + time.Duration(d.float()*float64(high-low))
}

// bytes gives n bytes.
func (d *dice) bytes(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(d.next() >> 56)
	}
	return out
}

// uuid gives a version 4 UUID in its dashed, lower-case form.
func (d *dice) uuid() string {
	return string(appendUUID(nil, d.next(), d.next()))
}

// appendUUID writes 128 bits as a version 4 UUID.
func appendUUID(dst []byte, high, low uint64) []byte {
	high = high&^0xf000 | 0x4000
	low = low&^(3<<62) | 2<<62
	dst = appendHex(dst, high>>32, 8, lowerHex)
	dst = append(dst, '-')
	dst = appendHex(dst, high>>16, 4, lowerHex)
	dst = append(dst, '-')
	dst = appendHex(dst, high, 4, lowerHex)
	dst = append(dst, '-')
	dst = appendHex(dst, low>>48, 4, lowerHex)
	dst = append(dst, '-')
	return appendHex(dst, low, 12, lowerHex)
}

const (
	lowerHex = "0123456789abcdef"
	upperHex = "0123456789ABCDEF"
)

// appendHex writes the lowest digits of v.
func appendHex(dst []byte, v uint64, digits int, alphabet string) []byte {
	for i := digits - 1; i >= 0; i-- {
		dst = append(dst, alphabet[v>>(4*i)&0xf])
	}
	return dst
}

func scramble(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
