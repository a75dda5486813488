-- What the page reads of an entry is bounded before it is built.

-- Whether the text of a payload takes about `most` bytes at the most, told without building it. jsonb keeps a number's
-- exponent: 1e131071 takes 12 bytes, and 131,072 as text, so that neither the stored nor the unpacked size bounds the text.
-- An empty container in front changes nothing, and gives the unpacked value, whose size can be asked for. Up to 4 KiB of that
-- are 32 MiB of text in the worst case, which is not worth a look at each number.
create function audit.has_text_within(payload jsonb, most bigint) returns boolean
  language plpgsql immutable parallel safe strict set search_path = pg_catalog, pg_temp as $$
declare
  unpacked bigint;
  digits numeric;
begin
  payload := case jsonb_typeof(payload) when 'object' then '{}'::jsonb || payload else '[]'::jsonb || payload end;
  unpacked := pg_column_size(payload);
  if unpacked <= 4096 then
    return true;
  elsif unpacked > most then
    return false;
  elsif not jsonb_path_exists(payload, 'strict $.** ? (@ > 1e20 || @ < 1e-20) ? (@ > 1e20 || @ < -1e20 || @ > -1e-20)') then
    return true;
  end if;
  -- Rounded up; a zero may have 16,383 decimals.
  select sum(scale(value) + case when abs(value) < 1e20 then 20 when abs(value) < 1e300 then 300 when abs(value) < 1e1000 then 1000
      when abs(value) < 1e4000 then 4000 when abs(value) < 1e16000 then 16000 when abs(value) < 1e64000 then 64000 else 131072 end)
  into digits
  from (select number::numeric as value from jsonb_path_query(payload, 'strict $.** ? (@.type() == "number")') as number) as numbers;
  return unpacked + coalesce(digits, 0) <= most;
end $$;
