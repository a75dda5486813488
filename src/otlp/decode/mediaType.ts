/** The kind of body that an answer says it has. */
export type MediaType = 'protobuf' | 'json' | 'html' | 'text' | 'bytes' | 'other' | 'absent';

/** Reads a Content-Type: parameters are allowed, upper and lower case are the same (RFC 9110 section 8.3.1). */
export function readMediaType(contentType: string | undefined): MediaType {
  const essence = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  switch (essence) {
    case '':
      return 'absent';
    case 'application/x-protobuf':
    case 'application/protobuf':
    case 'application/vnd.google.protobuf':
      return 'protobuf';
    case 'application/json':
    case 'text/json':
      return 'json';
    case 'application/octet-stream':
    case 'binary/octet-stream':
      return 'bytes';
    case 'text/html':
    case 'application/xhtml+xml':
      return 'html';
    default:
      if (essence.endsWith('+json')) return 'json';
      return essence.startsWith('text/') ? 'text' : 'other';
  }
}

/** Whether OTLP receivers answer in it. */
export function isOtlpMediaType(contentType: string | undefined): boolean {
  const type = readMediaType(contentType);
  return type === 'protobuf' || type === 'json';
}
