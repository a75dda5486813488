import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { makeAddressGuard } from './addressGuard.ts';

describe('makeAddressGuard', () => {
  const guard = makeAddressGuard({ refusedRanges: [] });

  it.each([
    ['127.0.0.1', 'loopback: a receiver in the same pod'],
    ['::1', 'loopback'],
    ['10.1.2.3', 'private: a receiver in the same cluster'],
    ['172.16.0.1', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'carrier-grade NAT, used by clusters'],
    ['fd12:3456::1', 'unique local'],
    ['203.0.113.7', 'public'],
    ['2606:4700::1111', 'public'],
    ['::ffff:10.0.0.1', 'private, IPv4-mapped'],
    ['64:ff9b::203.0.113.7', 'public, NAT64'],
    ['64:ff9b:1::203.0.113.7', 'public, local NAT64'],
    ['240.0.0.1', 'reserved, used for pods by some clouds'],
  ])('allows %s (%s)', (address) => {
    expect(guard.check(address)).toBeNull();
  });

  it.each([
    ['169.254.169.254', '169.254.0.0/16'],
    ['169.254.170.2', '169.254.0.0/16'],
    ['100.100.100.200', '100.100.100.200/32'],
    ['192.0.0.192', '192.0.0.192/32'],
    ['168.63.129.16', '168.63.129.16/32'],
    ['0.0.0.0', '0.0.0.0/8'],
    ['0.1.2.3', '0.0.0.0/8'],
    ['224.0.0.1', '224.0.0.0/4'],
    ['239.255.255.255', '224.0.0.0/4'],
    ['255.255.255.255', '255.255.255.255/32'],
    ['::', '::/128'],
    ['fe80::1', 'fe80::/10'],
    ['fe80::1%eth0', 'fe80::/10'],
    ['febf::1', 'fe80::/10'],
    ['ff02::1', 'ff00::/8'],
    ['fd00:ec2::254', 'fd00:ec2::/32'],
    ['fd00:ec2::23', 'fd00:ec2::/32'],
    ['fd00:42::42', 'fd00:42::/32'],
    ['fd20:ce::254', 'fd20:ce::254/128'],
    ['fd00:c1::a9fe:a9fe', 'fd00:c1::a9fe:a9fe/128'],
  ])('always refuses %s', (address, range) => {
    expect(guard.check(address)).toMatchObject({ address, range });
  });

  it.each([
    ['::ffff:169.254.169.254', 'IPv4-mapped'],
    ['::ffff:a9fe:a9fe', 'IPv4-mapped, in hexadecimal'],
    ['::169.254.169.254', 'IPv4-compatible'],
    ['::ffff:0:a9fe:a9fe', 'IPv4-translated'],
    ['64:ff9b::a9fe:a9fe', 'NAT64'],
    ['64:ff9b:1::a9fe:a9fe', 'local NAT64, as a /96'],
    ['64:ff9b:1:a9fe:a9:fe00::', 'local NAT64, as a /48'],
    ['2002:a9fe:a9fe::1', '6to4'],
    ['2001:0:a9fe:a9fe::1', 'Teredo server'],
    ['2001:0:102:304::5601:5601', 'Teredo client'],
    ['2606:4700::5efe:169.254.169.254', 'ISATAP'],
    ['2606:4700::200:5efe:a9fe:a9fe', 'ISATAP, globally unique'],
  ])('sees the metadata address inside %s (%s)', (address) => {
    expect(guard.check(address)).toMatchObject({ range: '169.254.0.0/16' });
  });

  it.each(['', 'localhost', '169.254.169.254.nip.io', '1.2.3.4.5', '127.0.0.1:80'])(
    'refuses %j, which is no address',
    (text) => {
      expect(guard.check(text)).toMatchObject({ what: 'not an IP address' });
    },
  );

  it('refuses further ranges by setting, wrapped or not', () => {
    const strict = makeAddressGuard({
      refusedRanges: ['10.0.0.0/8', '127.0.0.0/8', '::1', 'fc00::/7', '100.64.0.0/10'],
    });
    for (const address of [
      '10.9.8.7',
      '127.0.0.1',
      '::1',
      'fd12::1',
      '100.127.0.1',
      '::ffff:10.0.0.1',
      '64:ff9b::7f00:1',
      '2002:0a00:0001::',
    ]) {
      expect(strict.check(address), address).toMatchObject({ what: 'refused by setting' });
    }
    expect(strict.check('11.0.0.1')).toBeNull();
    expect(strict.check('192.168.0.1')).toBeNull();
  });

  it('names every malformed range at once', () => {
    expect(() =>
      makeAddressGuard({
        refusedRanges: ['10.0.0.0/8', '10.0.0.0/33', 'private', '10/8', '::/200', '1.2.3.4'],
      }),
    ).toThrow(
      'Not IP ranges: "10.0.0.0/33", "private", "10/8", "::/200". Write them like 10.0.0.0/8 or fc00::/7.',
    );
  });

  describe('of an export that is kept to the internet', () => {
    const port = 4318;
    const check = (address: string, allowedRanges: string[] = []) =>
      makeAddressGuard({ refusedRanges: [], allowedRanges }).check(address, { port, policy: 'public' });

    it.each([
      '127.0.0.1',
      '127.1.2.3',
      '::1',
      '10.1.2.3',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
      '100.64.0.1',
      '192.0.0.8',
      '198.18.0.1',
      '240.0.0.1',
      'fd12:3456::1',
      'fc00::1',
      'fec0::1',
      '100::1',
      '64:ff9b:1::203.0.113.7',
      '::ffff:10.0.0.1',
      '::ffff:127.0.0.1',
      '::127.0.0.1',
      '64:ff9b::10.0.0.1',
      '2002:7f00:1::',
      '2001:0:102:304::80ff:fffe',
      '2606:4700::5efe:192.168.0.1',
      '169.254.169.254',
      'fe80::1',
      '224.0.0.1',
      'ff02::1',
      '0.0.0.0',
      '::',
    ])('refuses %s', (address) => {
      expect(check(address)).not.toBeNull();
    });

    it.each([
      '203.0.113.7',
      '1.1.1.1',
      '172.32.0.1',
      '2606:4700::1111',
      '64:ff9b::1.1.1.1',
      '::ffff:1.1.1.1',
    ])('allows %s', (address) => {
      expect(check(address)).toBeNull();
    });

    it('refuses the addresses of this machine', () => {
      for (const { address } of Object.values(networkInterfaces()).flatMap((each) => each ?? [])) {
        expect(check(address), address).not.toBeNull();
      }
    });

    it('allows what the setting names, and no more', () => {
      const allowed = ['10.1.0.0/16', 'fd12::/16', '127.0.0.1/32'];
      for (const address of ['10.1.2.3', 'fd12::1', '127.0.0.1', '::ffff:10.1.2.3', '64:ff9b::10.1.2.3']) {
        expect(check(address, allowed), address).toBeNull();
      }
      for (const address of ['10.2.0.1', 'fd13::1', '127.0.0.2', '::ffff:10.2.0.1', '169.254.169.254']) {
        expect(check(address, allowed), address).not.toBeNull();
      }
    });
  });

  it('opens a metadata service only to a range inside of its own', () => {
    const wide = makeAddressGuard({ refusedRanges: [], allowedRanges: ['fd00::/8', '0.0.0.0/0', '::/0'] });
    const exact = makeAddressGuard({ refusedRanges: [], allowedRanges: ['fd00:ec2:5::/48', '169.254.7.7'] });
    for (const address of ['fd00:ec2:5::1', '169.254.7.7', 'fd00:42::42']) {
      expect(wide.check(address), address).not.toBeNull();
    }
    expect(exact.check('fd00:ec2:5::1')).toBeNull();
    expect(exact.check('169.254.7.7')).toBeNull();
    expect(exact.check('fd00:ec2::254')).not.toBeNull();
    expect(exact.check('169.254.169.254')).not.toBeNull();
  });

  it('lets a refusal by setting go before a permission', () => {
    const both = makeAddressGuard({ refusedRanges: ['10.0.0.0/8'], allowedRanges: ['10.1.0.0/16'] });
    expect(both.check('10.1.2.3', { port: 80, policy: 'public' })).toMatchObject({
      what: 'refused by setting',
    });
  });

  it('refuses this process’s own ports on every address of the machine, whatever is allowed', () => {
    const own = makeAddressGuard({
      refusedRanges: [],
      allowedRanges: ['127.0.0.0/8'],
      ownPorts: () => [8080, 9090],
    });
    const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    for (const address of [
      '127.0.0.1',
      '127.9.9.9',
      '::1',
      '::ffff:127.0.0.1',
      ...addresses.map((a) => a.address),
    ]) {
      expect(own.check(address, { port: 8080, policy: 'any' }), address).not.toBeNull();
      expect(own.check(address, { port: 9090, policy: 'public' }), address).not.toBeNull();
    }
    expect(own.check('127.0.0.1', { port: 4318, policy: 'any' })).toBeNull();
    expect(own.check('203.0.113.7', { port: 8080, policy: 'any' })).toBeNull();
  });
});
