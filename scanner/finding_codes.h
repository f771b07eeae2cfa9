/* finding_codes.h: the list of findings; include with FINDING defined. See finding.h. */

/* io: the environment kept bytes from being read */
FINDING(read_failed, LAYER_IO, SEVERITY_WARNING, "-", "the storage could not deliver these bytes")
FINDING(truncated_while_read, LAYER_IO, SEVERITY_WARNING, "-", "the file became shorter while it was read")
FINDING(changed_while_read, LAYER_IO, SEVERITY_WARNING, "-", "the file changed while it was read")

/* header */
FINDING(file_empty, LAYER_HEADER, SEVERITY_CORRUPT, "R5", "the file has no bytes")
FINDING(file_too_short, LAYER_HEADER, SEVERITY_CORRUPT, "R5", "the file is too short to hold a header")
FINDING(magic_wrong, LAYER_HEADER, SEVERITY_CORRUPT, "R4,R5", "the file does not begin with !BDN")
FINDING(client_unknown, LAYER_HEADER, SEVERITY_CORRUPT, "R4,R5", "the client magic names no known kind of file")
FINDING(version_unknown, LAYER_HEADER, SEVERITY_WARNING, "SRC", "the format version is none that is known")
FINDING(content_pab, LAYER_HEADER, SEVERITY_INFO, "SRC", "a personal address book, which has no mailbox to scan")
FINDING(header_crc_partial, LAYER_HEADER, SEVERITY_CORRUPT, "R4,R5", "the header's checksum over its first part is wrong")
FINDING(header_crc_full, LAYER_HEADER, SEVERITY_CORRUPT, "R4,R5", "the header's checksum over its whole is wrong")
FINDING(header_sentinel, LAYER_HEADER, SEVERITY_CORRUPT, "R4,R5", "the header's sentinel byte is wrong")
FINDING(crypt_unknown, LAYER_HEADER, SEVERITY_WARNING, "SRC", "the encryption method is none that can be read")
FINDING(file_truncated, LAYER_HEADER, SEVERITY_CORRUPT, "R4,R5", "the file is shorter than its header says")
FINDING(file_trailing, LAYER_HEADER, SEVERITY_INFO, "R5", "the file goes on after the end that its header names")
FINDING(root_out_of_range, LAYER_HEADER, SEVERITY_CORRUPT, "R4,R5", "the root of a B-tree lies outside the file")
FINDING(amap_invalid_flag, LAYER_HEADER, SEVERITY_WARNING, "R5", "the header says that the allocation maps were not written out")

/* engine: what the libpff engine met */
FINDING(engine_declined, LAYER_OBJECT, SEVERITY_INFO, "-", "the libpff engine does not take on an image of this size")
FINDING(engine_open_failed, LAYER_OBJECT, SEVERITY_WARNING, "-", "libpff could not open the image")
FINDING(engine_crashed, LAYER_OBJECT, SEVERITY_WARNING, "-", "libpff crashed on the image")
FINDING(engine_timeout, LAYER_OBJECT, SEVERITY_WARNING, "-", "libpff took longer than an image of this size may")
FINDING(engine_protocol, LAYER_OBJECT, SEVERITY_WARNING, "-", "the libpff process broke off or spoke nonsense")

/* items */
FINDING(item_failed, LAYER_ITEM, SEVERITY_WARNING, "-", "an item could not be read")
FINDING(item_partial, LAYER_ITEM, SEVERITY_WARNING, "-", "an item could only be read in part")
FINDING(item_orphan, LAYER_ITEM, SEVERITY_WARNING, "R4,R5", "an item whose folder is missing or does not list it")
FINDING(folder_failed, LAYER_ITEM, SEVERITY_WARNING, "-", "a folder could not be read")
FINDING(table_failed, LAYER_TABLE, SEVERITY_WARNING, "-", "a table could not be read")
FINDING(property_failed, LAYER_ITEM, SEVERITY_WARNING, "-", "a property could not be read")
FINDING(attachment_failed, LAYER_ITEM, SEVERITY_WARNING, "-", "an attachment could not be read")
FINDING(embedded_depth, LAYER_ITEM, SEVERITY_INFO, "-", "items embedded deeper than this were not read")
