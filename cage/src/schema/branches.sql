-- A broker may lose entries twice: a room goes on from before a loss, that is lost as well, and who had owned the room goes on from what he remembers.
CREATE TABLE taken_back (                                -- cuts, and what was given up, in a branch that a later cut has left: it counts no more
  request TEXT PRIMARY KEY REFERENCES request(name),
  by_request TEXT NOT NULL REFERENCES request(name)
);
CREATE INDEX taken_back_by ON taken_back (by_request);
CREATE TABLE lost_cut (                                  -- cuts that stand in a lost branch; follows from the cuts
  request TEXT PRIMARY KEY REFERENCES request(name)
);
