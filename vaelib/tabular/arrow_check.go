package tabular

import "encoding/binary"

// flat is a flatbuffer, as Arrow writes its schemas. The library makes room for
// as many columns as a file claims to have, before it looks whether they are
// there; so the claims are checked first.
type flat []byte

// soundMessage says whether the first message of a stream is a schema that
// claims no more fields than it has bytes for.
func soundMessage(stream []byte) (sound bool) {
	defer func() { // an index out of range is an offset out of the message
		if recover() != nil {
			sound = false
		}
	}()
	if binary.LittleEndian.Uint32(stream) == 0xffffffff {
		stream = stream[4:]
	}
	message := flat(stream[4 : 4+binary.LittleEndian.Uint32(stream)])
	header, ok := message.field(message.at(0), 2)
	return ok && message.fieldsFit(message.at(header), 1, 0)
}

// soundFooter is [soundMessage] of the footer of an Arrow file.
func soundFooter(footer []byte) (sound bool) {
	defer func() {
		if recover() != nil {
			sound = false
		}
	}()
	f := flat(footer)
	schema, ok := f.field(f.at(0), 1)
	return ok && f.fieldsFit(f.at(schema), 1, 0)
}

// at follows the offset at a place.
func (f flat) at(place int) int { return place + int(binary.LittleEndian.Uint32(f[place:])) }

// field is the place of a table's field; false where the table lacks it.
func (f flat) field(table, slot int) (place int, ok bool) {
	virtual := table - int(int32(binary.LittleEndian.Uint32(f[table:])))
	if size := int(binary.LittleEndian.Uint16(f[virtual:])); 4+2*slot+2 > size {
		return 0, false
	}
	offset := int(binary.LittleEndian.Uint16(f[virtual+4+2*slot:]))
	return table + offset, offset != 0
}

// fieldsFit says whether the vector of fields in a slot, and those of their
// children, lie within the buffer.
func (f flat) fieldsFit(table, slot, depth int) bool {
	place, ok := f.field(table, slot)
	if !ok {
		return true
	}
	vector := f.at(place)
	n := int(binary.LittleEndian.Uint32(f[vector:]))
	if depth > 16 || n < 0 || n > (len(f)-vector-4)/4 {
		return false
	}
	for i := range n {
		if !f.fieldsFit(f.at(vector+4+4*i), 5, depth+1) {
			return false
		}
	}
	return true
}
