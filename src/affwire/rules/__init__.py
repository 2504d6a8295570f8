"""Floor 1, pure: decisions as functions. Given `now` and `roll` as plain values they return a value; nobody acts here."""
