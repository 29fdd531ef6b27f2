#include "textflag.h"

// The kernels take the lanes of a series one register after the other: the
// returns of a period are 192 bytes, those of eight lanes 64, of four 32.
// Additions and multiplications stay apart, and stand in the order of the
// scalar code, so that every lane has its bits.
//
// Fields of laneSums, 24 values each: mean 0, target 192, squares 384,
// downside 576, wealth 768, worst 960. Of lanePowers: mean 0, std 192, second
// 384, third 576, fourth 768.

DATA one<>+0(SB)/8, $1.0
GLOBL one<>(SB), RODATA|NOPTR, $8

// func passAVX512(s *laneSums, series *float64, periods int)
//
// Z0 squares, Z1 downside, Z2 wealth, Z3 worst, Z4 peak; Z5 mean, Z6 target,
// Z7 one, Z8 zero.
TEXT ·passAVX512(SB), NOSPLIT, $0-24
	MOVQ s+0(FP), DI
	MOVQ series+8(FP), DX
	MOVQ $3, BX
	VBROADCASTSD one<>(SB), Z7
	VPXORQ Z8, Z8, Z8

lanes:
	MOVQ DX, SI
	MOVQ periods+16(FP), CX
	VPXORQ Z0, Z0, Z0
	VPXORQ Z1, Z1, Z1
	VMOVAPD Z7, Z2
	VMOVAPD Z7, Z3
	VMOVAPD Z7, Z4
	VMOVUPD (DI), Z5
	VMOVUPD 192(DI), Z6

period:
	VMOVUPD (SI), Z10
	VSUBPD Z5, Z10, Z11
	VSUBPD Z6, Z10, Z12
	VADDPD Z7, Z10, Z10
	VMULPD Z11, Z11, Z11
	VMINPD Z8, Z12, Z12
	VMULPD Z10, Z2, Z2
	VADDPD Z11, Z0, Z0
	VMULPD Z12, Z12, Z12
	VMAXPD Z4, Z2, Z4 // the peak stays where wealth is no number
	VADDPD Z12, Z1, Z1
	VMULPD Z4, Z3, Z13
	VCMPPD $17, Z13, Z2, K1 // wealth < worst peak
	KORTESTW K1, K1
	JNE worse

next:
	ADDQ $192, SI
	DECQ CX
	JNZ period

	VMOVUPD Z0, 384(DI)
	VMOVUPD Z1, 576(DI)
	VMOVUPD Z2, 768(DI)
	VMOVUPD Z3, 960(DI)
	ADDQ $64, DI
	ADDQ $64, DX
	DECQ BX
	JNZ lanes
	VZEROUPPER
	RET

worse:
	VDIVPD Z4, Z2, K1, Z3
	JMP next

// func passAVX2(s *laneSums, series *float64, periods int)
//
// The registers are those of passAVX512.
TEXT ·passAVX2(SB), NOSPLIT, $0-24
	MOVQ s+0(FP), DI
	MOVQ series+8(FP), DX
	MOVQ $6, BX
	VBROADCASTSD one<>(SB), Y7
	VXORPD Y8, Y8, Y8

lanes:
	MOVQ DX, SI
	MOVQ periods+16(FP), CX
	VXORPD Y0, Y0, Y0
	VXORPD Y1, Y1, Y1
	VMOVAPD Y7, Y2
	VMOVAPD Y7, Y3
	VMOVAPD Y7, Y4
	VMOVUPD (DI), Y5
	VMOVUPD 192(DI), Y6

period:
	VMOVUPD (SI), Y10
	VSUBPD Y5, Y10, Y11
	VSUBPD Y6, Y10, Y12
	VADDPD Y7, Y10, Y10
	VMULPD Y11, Y11, Y11
	VMINPD Y8, Y12, Y12
	VMULPD Y10, Y2, Y2
	VADDPD Y11, Y0, Y0
	VMULPD Y12, Y12, Y12
	VMAXPD Y4, Y2, Y4
	VADDPD Y12, Y1, Y1
	VMULPD Y4, Y3, Y13
	VCMPPD $17, Y13, Y2, Y14
	VTESTPD Y14, Y14
	JNE worse

next:
	ADDQ $192, SI
	DECQ CX
	JNZ period

	VMOVUPD Y0, 384(DI)
	VMOVUPD Y1, 576(DI)
	VMOVUPD Y2, 768(DI)
	VMOVUPD Y3, 960(DI)
	ADDQ $32, DI
	ADDQ $32, DX
	DECQ BX
	JNZ lanes
	VZEROUPPER
	RET

worse:
	VDIVPD Y4, Y2, Y13
	VBLENDVPD Y14, Y13, Y3, Y3
	JMP next

// func powersAVX512(p *lanePowers, series *float64, periods int)
//
// Z0 second, Z1 third, Z2 fourth; Z3 mean, Z4 std.
TEXT ·powersAVX512(SB), NOSPLIT, $0-24
	MOVQ p+0(FP), DI
	MOVQ series+8(FP), DX
	MOVQ $3, BX

lanes:
	MOVQ DX, SI
	MOVQ periods+16(FP), CX
	VPXORQ Z0, Z0, Z0
	VPXORQ Z1, Z1, Z1
	VPXORQ Z2, Z2, Z2
	VMOVUPD (DI), Z3
	VMOVUPD 192(DI), Z4

period:
	VMOVUPD (SI), Z10
	VSUBPD Z3, Z10, Z10
	VDIVPD Z4, Z10, Z10
	VMULPD Z10, Z10, Z11
	VADDPD Z11, Z0, Z0
	VMULPD Z10, Z11, Z11
	VADDPD Z11, Z1, Z1
	VMULPD Z10, Z11, Z11
	VADDPD Z11, Z2, Z2
	ADDQ $192, SI
	DECQ CX
	JNZ period

	VMOVUPD Z0, 384(DI)
	VMOVUPD Z1, 576(DI)
	VMOVUPD Z2, 768(DI)
	ADDQ $64, DI
	ADDQ $64, DX
	DECQ BX
	JNZ lanes
	VZEROUPPER
	RET

// func powersAVX2(p *lanePowers, series *float64, periods int)
//
// The registers are those of powersAVX512.
TEXT ·powersAVX2(SB), NOSPLIT, $0-24
	MOVQ p+0(FP), DI
	MOVQ series+8(FP), DX
	MOVQ $6, BX

lanes:
	MOVQ DX, SI
	MOVQ periods+16(FP), CX
	VXORPD Y0, Y0, Y0
	VXORPD Y1, Y1, Y1
	VXORPD Y2, Y2, Y2
	VMOVUPD (DI), Y3
	VMOVUPD 192(DI), Y4

period:
	VMOVUPD (SI), Y10
	VSUBPD Y3, Y10, Y10
	VDIVPD Y4, Y10, Y10
	VMULPD Y10, Y10, Y11
	VADDPD Y11, Y0, Y0
	VMULPD Y10, Y11, Y11
	VADDPD Y11, Y1, Y1
	VMULPD Y10, Y11, Y11
	VADDPD Y11, Y2, Y2
	ADDQ $192, SI
	DECQ CX
	JNZ period

	VMOVUPD Y0, 384(DI)
	VMOVUPD Y1, 576(DI)
	VMOVUPD Y2, 768(DI)
	ADDQ $32, DI
	ADDQ $32, DX
	DECQ BX
	JNZ lanes
	VZEROUPPER
	RET

// func belowAVX512(dst *uint8, series, threshold *float64, periods int)
TEXT ·belowAVX512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ series+8(FP), SI
	MOVQ threshold+16(FP), DX
	MOVQ periods+24(FP), CX
	VMOVUPD (DX), Z0

period:
	VMOVUPD (SI), Z1
	VCMPPD $17, Z0, Z1, K1
	KMOVW K1, AX
	MOVB AX, (DI)
	ADDQ $192, SI
	INCQ DI
	DECQ CX
	JNZ period
	VZEROUPPER
	RET

// func belowAVX2(dst *uint8, series, threshold *float64, periods int)
TEXT ·belowAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ series+8(FP), SI
	MOVQ threshold+16(FP), DX
	MOVQ periods+24(FP), CX
	VMOVUPD (DX), Y0
	VMOVUPD 32(DX), Y1

period:
	VMOVUPD (SI), Y2
	VMOVUPD 32(SI), Y3
	VCMPPD $17, Y0, Y2, Y2
	VCMPPD $17, Y1, Y3, Y3
	VMOVMSKPD Y2, AX
	VMOVMSKPD Y3, BX
	SHLL $4, BX
	ORL BX, AX
	MOVB AX, (DI)
	ADDQ $192, SI
	INCQ DI
	DECQ CX
	JNZ period
	VZEROUPPER
	RET
