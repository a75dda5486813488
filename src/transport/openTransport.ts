/** The transport as the settings ask for it: which addresses a receiver may have, and what a request says of us. */
import { loopbackRanges } from '../settings/loopback.ts';
import type { Settings } from '../settings/table.ts';
import { programVersion } from '../settings/version.ts';
import type { Logger } from '../telemetry/logger.ts';
import { makeAddressGuard } from './addressGuard.ts';
import { makeTransport, type Transport } from './transport.ts';

/** @param ownPorts those of this process, as they become known: no receiver may be there. */
export function openTransport(settings: Settings, log: Logger, ownPorts: readonly number[]): Transport {
  const isLocal = isPageLocal(settings);
  if (isLocal) {
    log.info(
      { allowed: loopbackRanges },
      'AUTH_MODE is local: endpoints that are typed on the page may lead to loopback addresses',
    );
  }
  return makeTransport({
    guard: makeAddressGuard({
      refusedRanges: settings.refusedAddresses,
      allowedRanges: [...settings.allowedAddresses, ...(isLocal ? loopbackRanges : [])],
      ownPorts: () => ownPorts,
    }),
    identityHeaders: [
      settings.userHeader,
      settings.nameHeader,
      settings.groupsHeader,
      settings.proxySecretHeader,
    ],
    onHeaderLeftOut: (name, host) =>
      log.warn(
        { header: name, host },
        'a configured header is not sent: it is the collector’s own, or says who asks',
      ),
    userAgent: `audit-export/${programVersion} OTel-OTLP-Exporter-JavaScript/${programVersion}`,
  });
}

/** Whether only people on this machine use the page. */
export function isPageLocal(settings: Settings): boolean {
  return settings.pageAddress !== null && settings.authMode === 'local';
}
