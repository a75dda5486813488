/** Blocks as releases wrote them before there was a version: bitmaps of grams of four bytes alone. */
import type { Database } from '../../src/database/pool.ts';

/** Makes such blocks of all that are there. */
export async function makeBlocksFormer(db: Database): Promise<void> {
  const { rows } = await db.query<{ block: string; bytes: number; texts: string[] }>(
    `select b.block::text, octet_length(b.grams) as bytes, array_agg(
       audit.search_text(e.event_type, e.actor_id, e.actor_name, e.session_type, e.project, e.metadata)) as texts
     from audit.search_blocks b join audit.entries e on e.organization = b.organization and e.cluster = b.cluster
       and (e.xid, e.id) >= (b.first_xid, b.first_id) and (e.xid, e.id) <= (b.last_xid, b.last_id)
     where b.grams is not null group by b.block`,
  );
  for (const { block, bytes, texts } of rows) {
    const grams = Buffer.alloc(bytes);
    for (const text of texts) addFours(grams, Buffer.from(text));
    await db.query('update audit.search_blocks set grams = $2, gram_version = 1 where block = $1', [
      block,
      grams,
    ]);
  }
}

function addFours(grams: Buffer, text: Buffer): void {
  for (let i = 0; i + 4 <= text.length; i++) {
    const gram = text.readInt32BE(i);
    const mixed = Math.imul(gram ^ (gram >>> 15), 0x9e3779b1);
    const bit = (mixed ^ (mixed >>> 15)) & (grams.length * 8 - 1);
    grams.writeUInt8(grams.readUInt8(bit >> 3) | (1 << (bit & 7)), bit >> 3);
  }
}
