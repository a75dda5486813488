/**
 * Keeps the young generation of the heap small; import it before anything else.
 *
 * V8 lets it grow to 128 MiB where the machine has memory, which a collector of a thousand idle streams fills, with 55 MiB
 * alive. A command-line flag would have to be repeated wherever the command is written.
 */
import { setFlagsFromString } from 'node:v8';

// Measured: a thousand idle streams hold 163 MiB instead of 260, and an export is no slower.
setFlagsFromString('--semi-space-growth-factor=1');
