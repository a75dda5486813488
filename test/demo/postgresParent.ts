/** A process that starts Postgres in the folder it is given, says where, and waits to be killed. */
import { findEmbeddedBinaries, startPostgres } from '../../tools/postgres/postgres.ts';

const server = await startPostgres({
  binaries: await findEmbeddedBinaries(),
  dataDirectory: process.argv[2] ?? '',
  settings: { fsync: 'off' },
});
process.send?.({ url: server.url, port: server.port });
