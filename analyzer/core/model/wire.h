/*
 * wire.h - what encode.c and decode.c agree on (codec.h describes the bytes).
 */
#ifndef DT_MODEL_WIRE_H
#define DT_MODEL_WIRE_H

#include "core/model/field.h"

#define DT_WIRE_MAGIC "DTR1"
#define DT_WIRE_HEADER 5 /* bytes: the magic and which object follows */

enum dt_wire_root { DT_ROOT_FACTS = 1, DT_ROOT_JUDGEMENT, DT_ROOT_CRASH };

enum dt_wire_type { DT_WIRE_NULL, DT_WIRE_NUMBER, DT_WIRE_BYTES, DT_WIRE_LIST, DT_WIRE_OBJECT, DT_WIRE_COUNT };

/* The wire type of a value of the kind that is not null. */
static inline enum dt_wire_type dt_wire_type_of(enum dt_field_kind kind)
{
	static const unsigned char types[] = {
		[DT_FIELD_TEXT] = DT_WIRE_BYTES,      [DT_FIELD_HEX] = DT_WIRE_NUMBER,  [DT_FIELD_UINT] = DT_WIRE_NUMBER,
		[DT_FIELD_SECONDS] = DT_WIRE_NUMBER,  [DT_FIELD_TIME] = DT_WIRE_NUMBER, [DT_FIELD_BOOL] = DT_WIRE_NUMBER,
		[DT_FIELD_WORD] = DT_WIRE_NUMBER,     [DT_FIELD_BYTES] = DT_WIRE_BYTES, [DT_FIELD_HAS] = DT_WIRE_OBJECT,
		[DT_FIELD_MAY] = DT_WIRE_OBJECT,      [DT_FIELD_LIST] = DT_WIRE_LIST,   [DT_FIELD_TEXTS] = DT_WIRE_LIST,
		[DT_FIELD_HEXES] = DT_WIRE_LIST,      [DT_FIELD_REGISTERS] = DT_WIRE_LIST,
		[DT_FIELD_INLINE] = DT_WIRE_OBJECT,
	};
	return (enum dt_wire_type)types[kind];
}

#endif
