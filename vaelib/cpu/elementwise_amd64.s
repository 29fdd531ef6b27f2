#include "textflag.h"

// The elementwise functions on eight numbers at a time: translations, operation
// by operation, of what stands in elementwise.go.

// Every constant eight times.
#define CONSTANT(offset, v) \
	DATA k<>+(offset+0)(SB)/4, v; \
	DATA k<>+(offset+4)(SB)/4, v; \
	DATA k<>+(offset+8)(SB)/4, v; \
	DATA k<>+(offset+12)(SB)/4, v; \
	DATA k<>+(offset+16)(SB)/4, v; \
	DATA k<>+(offset+20)(SB)/4, v; \
	DATA k<>+(offset+24)(SB)/4, v; \
	DATA k<>+(offset+28)(SB)/4, v

CONSTANT(0, $0x3f800000)
CONSTANT(32, $0x80000000)
CONSTANT(64, $0x42b20000)
CONSTANT(96, $0xc2d00000)
CONSTANT(128, $0x3fb8aa3b)
CONSTANT(160, $0x3f317218)
CONSTANT(192, $0xb102e308)
CONSTANT(224, $0x3efffffe)
CONSTANT(256, $0x3e2aaa45)
CONSTANT(288, $0x3d2aac8b)
CONSTANT(320, $0x3c091fe3)
CONSTANT(352, $0x3ab50d39)
CONSTANT(384, $127)
CONSTANT(416, $0x00800000)
CONSTANT(448, $0x4b000000)
CONSTANT(480, $0xc1b80000)
CONSTANT(512, $0x3f2aaaab)
CONSTANT(544, $0x3eaaaa83)
CONSTANT(576, $0xbe7fff78)
CONSTANT(608, $0x3e4ce814)
CONSTANT(640, $0xbe2acee6)
CONSTANT(672, $0x3e0f6b8b)
CONSTANT(704, $0xbdf9889f)
CONSTANT(736, $0x3e0f335e)
CONSTANT(768, $0xbe0402c6)
CONSTANT(800, $0xbf000000)
CONSTANT(832, $0x7f800000)
CONSTANT(864, $0xff800000)
CONSTANT(896, $0x7fc00000)
CONSTANT(928, $0x40000000)
CONSTANT(960, $0x3f200000)
CONSTANT(992, $0xbeaaaa99)
CONSTANT(1024, $0x3e088393)
CONSTANT(1056, $0xbd5c1e2d)
CONSTANT(1088, $0x3ca9134d)
CONSTANT(1120, $0xbbbaf0e6)
GLOBL k<>(SB), RODATA|NOPTR, $1152

#define ONE k<>+0(SB)
#define SIGN k<>+32(SB)
#define EXP_MOST k<>+64(SB)
#define EXP_LEAST k<>+96(SB)
#define LOG2E k<>+128(SB)
#define LN2_HIGH k<>+160(SB)
#define LN2_LOW k<>+192(SB)
#define EXP0 k<>+224(SB)
#define EXP1 k<>+256(SB)
#define EXP2 k<>+288(SB)
#define EXP3 k<>+320(SB)
#define EXP4 k<>+352(SB)
#define BIAS k<>+384(SB)
#define SMALLEST k<>+416(SB)
#define SHIFT k<>+448(SB)
#define SHIFTED k<>+480(SB)
#define TWO_THIRDS k<>+512(SB)
#define LOG0 k<>+544(SB)
#define LOG1 k<>+576(SB)
#define LOG2 k<>+608(SB)
#define LOG3 k<>+640(SB)
#define LOG4 k<>+672(SB)
#define LOG5 k<>+704(SB)
#define LOG6 k<>+736(SB)
#define LOG7 k<>+768(SB)
#define MINUS_HALF k<>+800(SB)
#define INFINITY k<>+832(SB)
#define MINUS_INFINITY k<>+864(SB)
#define NAN k<>+896(SB)
#define TWO k<>+928(SB)
#define TANH_SMALL k<>+960(SB)
#define TANH0 k<>+992(SB)
#define TANH1 k<>+1024(SB)
#define TANH2 k<>+1056(SB)
#define TANH3 k<>+1088(SB)
#define TANH4 k<>+1120(SB)

// Masks of the last 1 to 7 numbers: all bits set, then none.
DATA tail<>+0(SB)/8, $0xffffffffffffffff
DATA tail<>+8(SB)/8, $0xffffffffffffffff
DATA tail<>+16(SB)/8, $0xffffffffffffffff
DATA tail<>+24(SB)/8, $0xffffffffffffffff
DATA tail<>+32(SB)/8, $0
DATA tail<>+40(SB)/8, $0
DATA tail<>+48(SB)/8, $0
DATA tail<>+56(SB)/8, $0
GLOBL tail<>(SB), RODATA|NOPTR, $64

// MASK puts the mask of the last CX numbers into Y15.
#define MASK \
	LEAQ tail<>+32(SB), R8; \
	SHLQ $2, CX; \
	SUBQ CX, R8; \
	VMOVUPS (R8), Y15

// A function of one number runs BODY, from Y0 to Y0.
#define UNARY(name, BODY) \
TEXT name(SB), NOSPLIT, $0-24; \
	MOVQ dst+0(FP), DI; \
	MOVQ x+8(FP), SI; \
	MOVQ n+16(FP), CX; \
	SUBQ $8, CX; \
	JL rest; \
loop: \
	VMOVUPS (SI), Y0; \
	BODY; \
	VMOVUPS Y0, (DI); \
	ADDQ $32, SI; \
	ADDQ $32, DI; \
	SUBQ $8, CX; \
	JGE loop; \
rest: \
	ADDQ $8, CX; \
	JLE done; \
	MASK; \
	VMASKMOVPS (SI), Y15, Y0; \
	BODY; \
	VMASKMOVPS Y0, Y15, (DI); \
done: \
	VZEROUPPER; \
	RET

// A function of two numbers runs BODY, from Y0 and Y1 to Y0.
#define BINARY(name, BODY) \
TEXT name(SB), NOSPLIT, $0-32; \
	MOVQ dst+0(FP), DI; \
	MOVQ x+8(FP), SI; \
	MOVQ y+16(FP), DX; \
	MOVQ n+24(FP), CX; \
	SUBQ $8, CX; \
	JL rest; \
loop: \
	VMOVUPS (SI), Y0; \
	VMOVUPS (DX), Y1; \
	BODY; \
	VMOVUPS Y0, (DI); \
	ADDQ $32, SI; \
	ADDQ $32, DX; \
	ADDQ $32, DI; \
	SUBQ $8, CX; \
	JGE loop; \
rest: \
	ADDQ $8, CX; \
	JLE done; \
	MASK; \
	VMASKMOVPS (SI), Y15, Y0; \
	VMASKMOVPS (DX), Y15, Y1; \
	BODY; \
	VMASKMOVPS Y0, Y15, (DI); \
done: \
	VZEROUPPER; \
	RET

#define ADD VADDPS Y1, Y0, Y0
#define SUB VSUBPS Y1, Y0, Y0
#define MUL VMULPS Y1, Y0, Y0
#define DIV VDIVPS Y1, Y0, Y0

#define GREATEST \
	VMAXPS Y1, Y0, Y1; \
	VCMPPS $3, Y0, Y0, Y2; \
	VBLENDVPS Y2, Y0, Y1, Y0

#define LEAST \
	VMINPS Y1, Y0, Y1; \
	VCMPPS $3, Y0, Y0, Y2; \
	VBLENDVPS Y2, Y0, Y1, Y0

#define EQUAL \
	VCMPPS $0, Y1, Y0, Y0; \
	VANDPS ONE, Y0, Y0

#define NOT_EQUAL \
	VCMPPS $4, Y1, Y0, Y0; \
	VANDPS ONE, Y0, Y0

#define LESS \
	VCMPPS $1, Y1, Y0, Y0; \
	VANDPS ONE, Y0, Y0

#define LESS_OR_EQUAL \
	VCMPPS $2, Y1, Y0, Y0; \
	VANDPS ONE, Y0, Y0

BINARY(·addAVX2, ADD)
BINARY(·subAVX2, SUB)
BINARY(·mulAVX2, MUL)
BINARY(·divAVX2, DIV)
BINARY(·greatestAVX2, GREATEST)
BINARY(·leastAVX2, LEAST)
BINARY(·equalAVX2, EQUAL)
BINARY(·notEqualAVX2, NOT_EQUAL)
BINARY(·lessAVX2, LESS)
BINARY(·lessOrEqualAVX2, LESS_OR_EQUAL)

#define NEG VXORPS SIGN, Y0, Y0
#define ROOT VSQRTPS Y0, Y0

#define ABSOLUTE \
	VMOVUPS SIGN, Y1; \
	VANDNPS Y0, Y1, Y0

// From Y0 to Y0, by Y1 to Y3.
#define EXP \
	VMOVUPS EXP_MOST, Y1; \
	VMINPS Y0, Y1, Y0; \
	VMOVUPS EXP_LEAST, Y1; \
	VMAXPS Y0, Y1, Y0; \
	VMULPS LOG2E, Y0, Y1; \
	VROUNDPS $8, Y1, Y1; \
	VFNMADD231PS LN2_HIGH, Y1, Y0; \
	VFNMADD231PS LN2_LOW, Y1, Y0; \
	VMOVUPS EXP4, Y2; \
	VFMADD213PS EXP3, Y0, Y2; \
	VFMADD213PS EXP2, Y0, Y2; \
	VFMADD213PS EXP1, Y0, Y2; \
	VFMADD213PS EXP0, Y0, Y2; \
	VMULPS Y0, Y0, Y3; \
	VFMADD213PS Y0, Y3, Y2; \
	VADDPS ONE, Y2, Y2; \
	VCVTPS2DQ Y1, Y1; \
	VPSRAD $1, Y1, Y3; \
	VPSUBD Y3, Y1, Y1; \
	VPADDD BIAS, Y3, Y3; \
	VPSLLD $23, Y3, Y3; \
	VPADDD BIAS, Y1, Y1; \
	VPSLLD $23, Y1, Y1; \
	VMULPS Y3, Y2, Y2; \
	VMULPS Y1, Y2, Y0

#define LOG \
	VMOVUPS Y0, Y6; \
	VCMPPS $1, SMALLEST, Y0, Y1; \
	VMULPS SHIFT, Y0, Y2; \
	VBLENDVPS Y1, Y2, Y0, Y0; \
	VANDPS SHIFTED, Y1, Y3; \
	VPSUBD TWO_THIRDS, Y0, Y4; \
	VPSRAD $23, Y4, Y4; \
	VPSLLD $23, Y4, Y5; \
	VPSUBD Y5, Y0, Y0; \
	VSUBPS ONE, Y0, Y0; \
	VCVTDQ2PS Y4, Y4; \
	VADDPS Y3, Y4, Y4; \
	VMOVUPS LOG7, Y2; \
	VFMADD213PS LOG6, Y0, Y2; \
	VFMADD213PS LOG5, Y0, Y2; \
	VFMADD213PS LOG4, Y0, Y2; \
	VFMADD213PS LOG3, Y0, Y2; \
	VFMADD213PS LOG2, Y0, Y2; \
	VFMADD213PS LOG1, Y0, Y2; \
	VFMADD213PS LOG0, Y0, Y2; \
	VFMADD213PS MINUS_HALF, Y0, Y2; \
	VMULPS Y0, Y0, Y3; \
	VFMADD213PS Y0, Y3, Y2; \
	VFMADD231PS LN2_HIGH, Y4, Y2; \
	VMOVUPS INFINITY, Y1; \
	VCMPPS $0, Y1, Y6, Y3; \
	VBLENDVPS Y3, Y1, Y2, Y2; \
	VXORPS Y1, Y1, Y1; \
	VCMPPS $0, Y1, Y6, Y3; \
	VMOVUPS MINUS_INFINITY, Y4; \
	VBLENDVPS Y3, Y4, Y2, Y2; \
	VCMPPS $9, Y1, Y6, Y3; \
	VMOVUPS NAN, Y4; \
	VBLENDVPS Y3, Y4, Y2, Y0

#define TANH \
	VMOVUPS Y0, Y4; \
	VMOVUPS SIGN, Y1; \
	VANDPS Y0, Y1, Y5; \
	VANDNPS Y0, Y1, Y6; \
	VMULPS TWO, Y6, Y0; \
	EXP; \
	VADDPS ONE, Y0, Y0; \
	VMOVUPS TWO, Y1; \
	VDIVPS Y0, Y1, Y0; \
	VMOVUPS ONE, Y1; \
	VSUBPS Y0, Y1, Y0; \
	VORPS Y5, Y0, Y0; \
	VMULPS Y4, Y4, Y1; \
	VMOVUPS TANH4, Y2; \
	VFMADD213PS TANH3, Y1, Y2; \
	VFMADD213PS TANH2, Y1, Y2; \
	VFMADD213PS TANH1, Y1, Y2; \
	VFMADD213PS TANH0, Y1, Y2; \
	VMULPS Y4, Y1, Y1; \
	VFMADD213PS Y4, Y1, Y2; \
	VCMPPS $1, TANH_SMALL, Y6, Y3; \
	VBLENDVPS Y3, Y2, Y0, Y0

#define LOGISTIC \
	VXORPS SIGN, Y0, Y0; \
	EXP; \
	VADDPS ONE, Y0, Y0; \
	VMOVUPS ONE, Y1; \
	VDIVPS Y0, Y1, Y0

UNARY(·negAVX2, NEG)
UNARY(·absAVX2, ABSOLUTE)
UNARY(·sqrtAVX2, ROOT)
UNARY(·expAVX2, EXP)
UNARY(·logAVX2, LOG)
UNARY(·tanhAVX2, TANH)
UNARY(·logisticAVX2, LOGISTIC)

// func whereAVX2(dst, condition, x, y *float32, n int)
TEXT ·whereAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ condition+8(FP), BX
	MOVQ x+16(FP), SI
	MOVQ y+24(FP), DX
	MOVQ n+32(FP), CX
	VXORPS Y3, Y3, Y3
	SUBQ $8, CX
	JL rest

loop:
	VMOVUPS (BX), Y0
	VCMPPS $4, Y3, Y0, Y0
	VMOVUPS (SI), Y1
	VMOVUPS (DX), Y2
	VBLENDVPS Y0, Y1, Y2, Y0
	VMOVUPS Y0, (DI)
	ADDQ $32, BX
	ADDQ $32, SI
	ADDQ $32, DX
	ADDQ $32, DI
	SUBQ $8, CX
	JGE loop

rest:
	ADDQ $8, CX
	JLE done
	MASK
	VMASKMOVPS (BX), Y15, Y0
	VCMPPS $4, Y3, Y0, Y0
	VMASKMOVPS (SI), Y15, Y1
	VMASKMOVPS (DX), Y15, Y2
	VBLENDVPS Y0, Y1, Y2, Y0
	VMASKMOVPS Y0, Y15, (DI)

done:
	VZEROUPPER
	RET
