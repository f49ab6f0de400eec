-- migrate: no transaction
ALTER TABLE second_factors VALIDATE CONSTRAINT second_factors_known_kind;
ALTER TABLE second_factors VALIDATE CONSTRAINT second_factors_secret_of_apps;
