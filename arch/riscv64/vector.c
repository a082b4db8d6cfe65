#include "arch/riscv64/vector.h"

#include "arch/riscv64/csr.h"

u64 vector_size;

void vector_store_registers(struct vector_state *v);
void vector_load_registers(const struct vector_state *v);
void vector_forget_type(void);

static_assert(offsetof(struct vector_state, registers) == 48, "vector.S");

void vector_init(void)
{
	csr_set(sstatus, SSTATUS_VS_DIRTY);
	vector_size = csr_read(vlenb) * NR_VECTOR_REGISTERS;
	csr_clear(sstatus, SSTATUS_VS);
}

/* Fields of instructions. Source: RISC-V unprivileged architecture, "V" extension. */
#define OPCODE(insn)	 ((insn)&0x7f)
#define OPCODE_LOAD_FP	 0x07
#define OPCODE_STORE_FP	 0x27
#define OPCODE_VECTOR	 0x57
#define OPCODE_SYSTEM	 0x73
#define FUNCT3(insn)	 (((insn) >> 12) & 7)
#define CSR_NUMBER(insn) ((insn) >> 20)
#define CSR_VSTART	 0x008
#define CSR_VCSR	 0x00f
#define CSR_VL		 0xc20
#define CSR_VLENB	 0xc22

bool vector_instruction(u32 insn)
{
	u32 funct3 = FUNCT3(insn), csr = CSR_NUMBER(insn);

	switch (OPCODE(insn)) {
	case OPCODE_VECTOR:
		return true;
	case OPCODE_LOAD_FP:
	case OPCODE_STORE_FP:
		return funct3 == 0 || funct3 >= 5; /* 8 bits; 16, 32, 64 */
	case OPCODE_SYSTEM:
		return (csr >= CSR_VSTART && csr <= CSR_VCSR) || (csr >= CSR_VL && csr <= CSR_VLENB);
	default:
		return false;
	}
}

void vector_load(const struct vector_state *v)
{
	csr_set(sstatus, SSTATUS_VS_DIRTY);
	if (v->taken) {
		vector_fill();
		csr_write(vcsr, v->vcsr);
	} else {
		vector_load_registers(v);
	}
}

void vector_store(struct vector_state *v)
{
	vector_store_registers(v);
	v->taken = false;
	csr_clear(sstatus, SSTATUS_VS);
}

void vector_drop(struct vector_state *v)
{
	v->vcsr = csr_read(vcsr);
	v->taken = true;
	vector_forget_type();
	csr_clear(sstatus, SSTATUS_VS);
}
