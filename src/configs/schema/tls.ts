/** `spec.tls`: whom to trust, and how to prove our own identity. */
import { z } from 'zod';
import { field } from './field.ts';
import {
  maxNameLength,
  objectNamePattern,
  secretKeyExpected,
  secretKeySchema,
  secretNameSchema,
} from './names.ts';

export const defaultCaKey = 'ca.crt';

export const tlsSchema = field(
  z
    .strictObject({
      caSecretRef: field(
        z
          .strictObject({
            name: secretNameSchema,
            key: field(secretKeySchema.default(defaultCaKey), {
              description: 'Key in the Secret.',
              expected: secretKeyExpected,
            }),
          })
          .optional(),
        {
          description: "PEM certificates to trust instead of the system's.",
          expected: `a map with the name of a Secret, and a key in it (default ${defaultCaKey})`,
        },
      ),
      clientCertSecretRef: field(z.strictObject({ name: secretNameSchema }).optional(), {
        description:
          'Secret of type kubernetes.io/tls (keys tls.crt and tls.key) to present to the receiver.',
        expected: 'a map with the name of a Secret that has the keys tls.crt and tls.key',
      }),
      serverName: field(
        z.string().min(1).max(maxNameLength).regex(new RegExp(objectNamePattern.source, 'i')).optional(),
        {
          description: "Name asked for and expected in the receiver's certificate, when it is not the host.",
          expected: `a host name of at most ${maxNameLength} characters, such as otel.example.com`,
        },
      ),
      insecureSkipVerify: field(z.boolean().default(false), {
        description:
          'Takes any certificate. For trials: whoever sits between can read and answer everything.',
        expected: 'true or false',
      }),
    })
    .optional(),
  {
    description: 'TLS of the connection; absent: the roots of the system, no client certificate.',
    expected: 'a map such as {caSecretRef: {name: receiver-ca}}',
  },
);
