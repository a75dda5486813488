/** What answers at the port of a receiver, found without sending it anything that is configured (`transport/inspectPort.ts`). */
export interface PortReport {
  /** `closed`: nobody accepts a connection. `silent`: somebody does, and says nothing that is known here. */
  readonly plain: 'http1' | 'http2' | 'silent' | 'closed';
  /** null: it does not speak TLS. */
  readonly tls: TlsReport | null;
}

interface TlsReport {
  /** HTTP/2 is all it accepts, as gRPC servers do. */
  readonly isHttp2Only: boolean;
  /** null: it asked for a certificate of ours first, or presented none. */
  readonly certificate: PresentedCertificate | null;
}

/** Public: a server shows it to everybody who connects. */
export interface PresentedCertificate {
  readonly subject: string;
  readonly issuer: string;
  /** Host names and addresses that it is for. */
  readonly names: readonly string[];
  /** RFC 3339. */
  readonly validFrom: string;
  readonly validTo: string;
  /** SHA-256, as `AB:CD:…`. */
  readonly fingerprint: string;
  readonly isSelfSigned: boolean;
  /** Whether those whom the destination trusts have signed it; its names do not count. */
  readonly isTrusted: boolean;
}
