-- Bitmaps hold more than sequences of four bytes from version 2 on: of two, three and six as well. What is there stays as it is, and
-- so does what a collector of a former release writes beside a new one.
alter table audit.search_blocks add column gram_version smallint not null default 1;
